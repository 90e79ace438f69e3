// The fleet's database: tenants, policies, tokens, devices, repositories, reports, users. Each function is one
// transaction; when it returns, what it changed survives a power cut.
//
// Errors: what a caller can expect (not found, taken) is in the return type; a broken or unreachable database
// is a sql::error exception, caught where a request or a command ends. So is a reference to what does not exist (a
// report of an unknown device, a token with an unknown policy), text with a NUL or of broken UTF-8, and an idempotency
// key or dedup_key of more than 512 characters: callers check what they were sent.
// Threads: may be used from any thread at once.
#pragma once

#include "sql/database.hpp"
#include "store/all_rows.hpp"
#include "store/move_mark.hpp"
#include "store/object_journal.hpp"
#include "store/rows.hpp"
#include "store/scrub_log.hpp"
#include "store/storage_places.hpp"
#include "store/upload_reservations.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::store {

enum class token_state { usable, unknown, used, expired, revoked };

// What control makes before it asks to enrol: fresh ids and key, and the sealed password.
struct new_enrolment {
    std::string token_hash;
    std::optional<std::string> idempotency_key;
    device fresh_device;         // tenant and policy are taken from the token
    repository fresh_repository; // tenant and device likewise
};

struct enrolled {
    store::device device;
    store::repository repository;
};

struct enrol_outcome {
    token_state token = token_state::unknown;
    // The same idempotency key came again after its window: nothing was changed.
    bool already_confirmed = false;
    std::optional<enrolled> result; // present where token == usable and not already_confirmed
};

enum class recovery_state {
    usable,
    unknown,
    used, // by another caller, or the take-over is finished
    expired,
    revoked,
    not_exchanged, // a take-over comes after the exchange
    not_allowed,   // the token allows no take-over
    succeeded      // the repository has another device already
};

struct recovery_outcome {
    recovery_state state = recovery_state::unknown;
    // Present where `usable`.
    std::optional<recovery_token> token;
    std::optional<repository_credential> credential; // of an exchange
    std::optional<enrolled> result;                  // of a take-over
};

struct report_filter {
    std::optional<domain::device_id> device;
    std::optional<std::string> job;
    std::int64_t limit = 100;
};

class fleet_store {
public:
    explicit fleet_store(std::shared_ptr<sql::database> db);

    // Brings the schema up to date; safe to call from several processes at once.
    void migrate();
    // Answers whether the database can be read now (for /readyz); errc::shut where the control plane was moved away.
    bool healthy();

    // What the repository server keeps in the same database.
    object_journal objects() const { return object_journal{db_}; }
    scrub_log scrubs() const { return scrub_log{db_}; }
    storage_places places() const { return storage_places{db_}; }
    std::shared_ptr<upload_reservations> reservations() const { return std::make_shared<upload_reservations>(db_); }

    // For what only one process may do at a time: nothing where another one does it (sql/advisory_lock.hpp).
    std::unique_ptr<sql::advisory_lock> try_lock(const std::string& name) { return db_->try_lock(name); }
    // For commands that change more of a repository than one object.
    std::unique_ptr<sql::advisory_lock> lock_of(const domain::repository_id& id) { return db_->try_lock(id.text); }

    // The whole of it, for a copy.
    all_rows rows() const { return all_rows{db_}; }
    // Whether they were moved away.
    move_mark moves() const { return move_mark{db_}; }

    // Settings of the installation, for example "storage_id".
    std::optional<std::string> setting(std::string_view key);
    // False where the key already has a value, which stays.
    bool set_setting_once(std::string_view key, std::string_view value);
    void set_setting(std::string_view key, std::string_view value); // replaces

    // The newest one; nothing where this control plane was never restored.
    std::optional<epoch> current_epoch();
    // The administrator has looked through the devices after the restore. False where there is nothing to confirm.
    bool confirm_epoch(base::time_point now);

    // False where the name is taken. Stores the tenant's "default" policy with it.
    bool add_tenant(const tenant& t, const std::string& default_policy_document);
    std::optional<tenant> find_tenant(std::string_view name_or_id);
    std::vector<tenant> tenants();
    void set_custody(const domain::tenant_id& id, const std::string& custody);
    void set_custody_key(const domain::tenant_id& id, const std::string& public_key);

    void put_policy(const policy& p); // replaces one of the same tenant and name
    std::optional<policy> find_policy(const domain::tenant_id& tenant, std::string_view name);
    std::vector<policy> policies(const std::optional<domain::tenant_id>& tenant);

    void add_token(const install_token& t);
    std::vector<install_token> tokens(const std::optional<domain::tenant_id>& tenant);
    std::optional<install_token> find_token(std::string_view token_hash);
    // Of either kind. False where there is none; what is revoked already keeps its first instant.
    bool revoke_token(const domain::token_id& id, base::time_point now);

    // Takes one use from the token and stores device and repository, all or nothing. A second call with the same
    // token and idempotency key takes no use and makes no device: within `retry_window` of the enrolment and
    // before the device's first authenticated call it gives the stored device the key hash of `e` and returns it. A
    // token that is used up or expired serves such a call, one that is revoked does not; nor does a revoked device.
    enrol_outcome enrol(const new_enrolment& e, base::time_point now, std::chrono::minutes retry_window);

    void add_recovery_token(const recovery_token& t);
    std::optional<recovery_token> find_recovery_token(std::string_view token_hash);
    std::vector<recovery_token> recovery_tokens(const std::optional<domain::tenant_id>& tenant); // oldest first
    // Makes `fresh` the credential of the token, once: the same idempotency key gets it again while it is valid, any
    // other none. `fresh` is of the token's repository, whatever it says.
    recovery_outcome exchange(std::string_view token_hash, const std::string& idempotency_key,
                              const repository_credential& fresh, base::time_point now);
    // Makes `fresh` the successor of the token's device: it gets the tenant, policy, name in the repository and the
    // repository itself, whose secrets are renewed; the old device is revoked. All or nothing, while the exchanged
    // credential is valid, for the caller who made the exchange; who may ask again, and gets the same device with the
    // key hash of `fresh`, until that device's first authenticated call.
    recovery_outcome take_over(std::string_view token_hash, const std::string& idempotency_key, const device& fresh,
                               base::time_point now);
    std::optional<domain::device_id> successor_of(const domain::device_id& id);
    std::optional<domain::device_id> predecessor_of(const domain::device_id& id);

    std::optional<device> find_device(const domain::device_id& id);
    std::optional<device> find_device_by_key(std::string_view key_hash);
    std::vector<device> devices(const std::optional<domain::tenant_id>& tenant);
    void touch_device(const domain::device_id& id, base::time_point now); // last_seen_at, never backwards
    // These are false where there is no such device (or the device's tenant has no such policy). What is revoked
    // already keeps its first instant.
    bool set_device_enabled(const domain::device_id& id, bool enabled);
    // The newest one replaces what was asked before.
    void request_backup(const backup_request& r);
    std::optional<backup_request> backup_request_of(const domain::device_id& id);
    bool revoke_device(const domain::device_id& id, base::time_point now);
    bool set_device_policy(const domain::device_id& id, std::string_view policy_name);

    std::optional<repository> repository_of(const domain::device_id& id);
    std::vector<repository> repositories(); // oldest first
    std::optional<repository> find_repository(std::string_view tenant_id, std::string_view device_id,
                                              std::string_view user_id);
    std::optional<repository> find_repository(const domain::repository_id& id);
    void set_initialised(const domain::repository_id& id, bool initialised);
    // Voids every credential of a repository; the new generation, nothing where there is no such repository.
    std::optional<std::int64_t> raise_generation(const domain::repository_id& id);

    // Keeps it beside those that are there. False where there are `most` already.
    // From then on the repository's passwords are kept in that way; those that there are stay as they are.
    void change_custody(const domain::repository_id& id, const std::string& custody,
                        const std::optional<std::string>& custody_key);
    bool add_password(const domain::repository_id& id, const std::string& kind, const std::string& box,
                      base::time_point now, std::int64_t most);
    std::vector<repository_password> passwords(const domain::repository_id& id); // the newest first

    void add_credential(const repository_credential& c);
    std::optional<repository_credential> find_credential(std::string_view id);
    std::vector<repository_credential> credentials(const domain::repository_id& id); // oldest first
    // False where there is none; what is revoked already keeps its first instant.
    bool revoke_credential(const domain::credential_id& id, base::time_point now);

    // Stores a report once: where the device already has one with this dedup_key, nothing is changed and the id
    // of the stored one is returned.
    std::string add_report(const report& r);
    std::vector<report> reports(const report_filter& filter); // newest start first
    // The newest report of each domain::job of a device.
    std::vector<report> latest_reports(const domain::device_id& id);
    // When the newest backup that made a snapshot (success or partial) ended.
    std::optional<base::time_point> last_good_backup(const domain::device_id& id);
    // When the end of the newest check without a flaw was: until then the backups were proved to be restorable.
    std::optional<base::time_point> last_good_check(const domain::device_id& id);

    bool add_user(const user& u); // false where the address is taken
    bool set_user_password(std::string_view email, const std::string& password_hash); // false: no such user
    std::vector<user> users();

private:
    std::shared_ptr<sql::database> db_;
};

} // namespace xentz::store
