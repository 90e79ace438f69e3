#include "agent/password_rotation.hpp"

#include "agent/config_source.hpp"
#include "agent/custody.hpp"
#include "agent/job_run.hpp"
#include "agent/machine_setup.hpp"
#include "agent/repository_access.hpp"
#include "crypto/sealed_box.hpp"
#include "crypto/secrets.hpp"

#include <algorithm>
#include <array>

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::uint64_t most_small_bytes = 65536;

// What is under way.
struct rotation_note {
    std::uint32_t format = 1;
    std::string old_key; // restic's id
    base::time_point began_at;
    std::optional<std::string> custody; // where it changes
    std::optional<std::string> custody_key;
};
BOOST_DESCRIBE_STRUCT(rotation_note, (), (format, old_key, began_at, custody, custody_key))

std::optional<std::string> current_of(const std::vector<engine::key>& keys)
{
    const auto found = std::ranges::find_if(keys, [](const engine::key& k) { return k.current; });
    return found == keys.end() ? std::nullopt : std::optional{found->id};
}

result<> check(const wished_custody& wish)
{
    const bool known =
        wish.custody == custody_server || wish.custody == custody_sealed || wish.custody == custody_device;
    if (!known)
        return fail(fault_code::usage, "--custody must be server, sealed or device, not \"" + wish.custody + "\"");
    if ((wish.custody == custody_sealed) != wish.custody_key.has_value())
        return fail(fault_code::usage, "--custody-key belongs to --custody sealed, and that to it",
                    "Give both; `xentz-server custody keygen` makes the keys");
    if (wish.custody_key && !crypto::is_public_key(*wish.custody_key))
        return fail(fault_code::usage, "--custody-key is no public key of `xentz-server custody keygen`");
    return {};
}

// One rotation, while the locks of the machine are held.
class rotation {
public:
    rotation(environment& env, local_config local, const std::optional<wished_custody>& wish, int run_lock,
             std::stop_token stop)
        : env_(env), local_(std::move(local)), wish_(wish), run_lock_(run_lock), stop_(std::move(stop)),
          client_(env.make_client(client_options_of(local_, env.agent_version))), file_(local_.restic.password_file)
    {
        if (local_.managed()) server_.emplace(*client_, *local_.server_url);
    }

    result<rotated_password> operator()()
    {
        auto effective = load_config(env_, local_, server_ ? &*server_ : nullptr, stop_);
        if (!effective) return base::failed(effective);
        // A server that is away could not be given the new password: nothing begins that cannot end.
        if (effective->fetch_fault) return std::unexpected(*effective->fetch_fault);
        effective_ = std::move(*effective);
        if (auto ok = require_custody(env_, local_); !ok) return base::failed(ok);
        if (auto ok = begin(); !ok) return base::failed(ok);
        if (note_.custody) {
            local_.custody = note_.custody;
            local_.custody_key = note_.custody_key;
        }
        if (env_.files.info(next()))
            if (auto ok = take_up_new(); !ok) return base::failed(ok);
        if (auto ok = remove_old_key(); !ok) return base::failed(ok);
        if (auto ok = env_.files.remove(note_path()); !ok) return base::failed(ok);
        if (local_.managed() && local_.custody == custody_device) {
            auto password = read_password(env_, file_);
            if (!password) return base::failed(password);
            out_.only_password = std::move(*password);
        }
        out_.config = std::move(local_);
        return std::move(out_);
    }

private:
    std::filesystem::path next() const { return file_.string() + ".next"; }
    std::filesystem::path note_path() const { return env_.home.password_rotation(); }
    std::filesystem::path kept() const { return file_.string() + "." + base::to_file_stamp(note_.began_at); }

    // Asks the repository, opened with the password in `file`. A lock that a killed restic left does not stop it.
    template <class Call>
    auto ask(const std::filesystem::path& file, const Call& call) -> decltype(call(std::declval<engine::session&>()))
    {
        auto local = local_;
        local.restic.password_file = file.string();
        std::optional<std::chrono::seconds> skew = effective_->clock_skew;
        const std::optional<job_state> previous;
        std::vector<domain::command_result> none;
        run_context context{env_, local, *effective_, *client_, previous, run_lock_, skew, none, stop_};
        const auto session = open_repository(context);
        if (!session) return std::unexpected(session.error());
        return past_dead_locks(context, **session, out_.warnings, [&] { return call(**session); });
    }

    result<std::vector<engine::key>> keys_with(const std::filesystem::path& file)
    {
        return ask(file, [&](engine::session& s) { return s.keys(stop_); });
    }

    // Takes up what was cut short, or makes the new password and notes which key is the old one.
    result<> begin()
    {
        if (const auto text = os::read_all(env_.files, note_path(), most_small_bytes)) {
            const auto note = wire::decode<rotation_note>(*text);
            if (!note)
                return fail(fault_code::config_invalid, note_path().string() + " is damaged",
                            "Remove it, and " + next().string() + " if it is there; then run it again");
            if (wish_ && (wish_->custody != note->custody || wish_->custody_key != note->custody_key))
                return fail(fault_code::conflict, "a rotation with another custody was cut short and is not done yet",
                            "Run `xentz-agent rotate-password` to end it, and then again with --custody");
            note_ = *note;
            out_.went_on = true;
            out_.old_password = kept();
            return {};
        }
        const auto keys = keys_with(file_);
        if (!keys) return std::unexpected(keys.error());
        const auto old_key = current_of(*keys);
        if (!old_key) return fail(fault_code::restic_failed, "restic did not say which key this machine uses");
        note_ = {.old_key = *old_key, .began_at = env_.clock.now(), .custody = {}, .custody_key = {}};
        if (wish_) {
            note_.custody = wish_->custody;
            note_.custody_key = wish_->custody_key;
        }
        out_.old_password = kept();
        const auto note = wire::pretty_json(wire::to_json(note_));
        const auto password = crypto::make_password(env_.random);
        env_.secrets->add(password);
        const auto line = password + "\n";
        // In this order: a note without the new password would be of nothing.
        return os::write_atomic(env_.files,
                                std::array{os::file_content{next(), line}, os::file_content{note_path(), note}});
    }

    result<> take_up_new()
    {
        if (auto ok = add_new_key(); !ok) return ok;
        const auto password = read_password(env_, next());
        if (!password) return std::unexpected(password.error());
        if (auto ok = begin_deposit(env_, local_, *password, next(), true); !ok) return ok;
        if (server_)
            if (auto ok = finish_deposit(env_, local_, *server_, stop_); !ok) return ok;
        if (note_.custody)
            if (auto ok = save_local_config(env_.files, env_.home.config, local_); !ok) return ok;
        const auto old = os::read_all(env_.files, file_, most_small_bytes);
        if (!old) return std::unexpected(old.error());
        if (auto ok = os::write_atomic(env_.files, kept(), *old); !ok) return ok;
        if (auto ok = env_.files.rename(next(), file_); !ok) return ok;
        return env_.files.sync_directory(file_.parent_path());
    }

    // A key for the new password, and the proof that it opens the repository. One that was added before the rotation
    // was cut short serves.
    result<> add_new_key()
    {
        if (out_.went_on) {
            const auto there = keys_with(next());
            if (there) return {};
            if (there.error().code != fault_code::wrong_password) return std::unexpected(there.error());
        }
        if (auto ok = ask(file_, [&](engine::session& s) { return s.add_key(next(), stop_); }); !ok)
            return where_keys_stay(std::move(ok));
        const auto opened = keys_with(next());
        if (!opened) return std::unexpected(opened.error());
        return {};
    }

    // To restic a refusal is a refusal; the config knows why.
    result<> where_keys_stay(result<> refused)
    {
        const bool append_only = effective_->config.restic.protection == "append-only";
        if (!append_only || refused.error().code != fault_code::repository_refused) return refused;
        return fail(fault_code::repository_append_only, "the repository is append-only, so its keys stay as they are",
                    "Ask an administrator to allow it for a while with `xentz-server repo maintain --device " +
                        local_.device_id.value_or("ID") + " --for 1h`, and run it again");
    }

    result<> remove_old_key()
    {
        const auto keys = keys_with(file_);
        if (!keys) return std::unexpected(keys.error());
        if (current_of(*keys) == note_.old_key) return forget_what_never_began();
        const bool is_there = std::ranges::any_of(*keys, [&](const engine::key& k) { return k.id == note_.old_key; });
        if (!is_there) return {};
        return ask(file_, [&](engine::session& s) { return s.remove_key(note_.old_key, stop_); });
    }

    // A power cut may have kept the note and not the new password.
    result<> forget_what_never_began()
    {
        if (auto ok = env_.files.remove(note_path()); !ok) return ok;
        return fail(fault_code::interrupted, "a rotation that had been cut short had changed nothing yet",
                    "Run it again");
    }

    environment& env_;
    local_config local_;
    std::optional<wished_custody> wish_;
    int run_lock_;
    std::stop_token stop_;
    std::unique_ptr<http::client> client_;
    std::optional<control_plane> server_;
    std::filesystem::path file_;
    std::optional<effective_config> effective_;
    rotation_note note_;
    rotated_password out_;
};

} // namespace

result<rotated_password> rotate_password(environment& env, const std::optional<wished_custody>& wish,
                                         std::stop_token stop)
{
    if (wish)
        if (auto ok = check(*wish); !ok) return base::failed(ok);
    const auto locks = lock_for_setup(env, "rotate-password");
    if (!locks) return std::unexpected(locks.error());
    auto local = load_local_config(env.files, env.home.config, *env.secrets);
    if (!local) return base::failed(local);
    if (auto ok = require_own_repository(*local); !ok) return base::failed(ok);
    if (wish && !local->managed())
        return fail(fault_code::usage, "--custody says what a control plane has, and this machine has none");
    if (local->host.empty()) local->host = env.host_name;
    return rotation{env, std::move(*local), wish, locks->run->descriptor(), std::move(stop)}();
}

} // namespace xentz::agent
