#include "repo/guarded_store.hpp"

#include "base/hex.hpp"
#include "crypto/hash.hpp"

#include <exception>
#include <utility>
#include <vector>

namespace xentz::repo {
namespace {

using base::failed;
using base::fault_code;

std::unexpected<base::fault> journal_failed(const std::exception& e)
{
    return base::fail(fault_code::repository_unavailable,
                      std::string{"the journal of the repository cannot be written: "} + e.what());
}

// The slot may have been reached by another way: by the same request a moment ago, or by a repair.
bool is_buried(trash_store& trash, const trash_entry& e) { return trash.open_buried(e).has_value(); }

} // namespace

base::result<std::string> hash_of(object_reader& reader)
{
    crypto::sha256 hash;
    std::vector<char> piece(std::size_t{64} * 1024);
    for (std::uint64_t offset = 0;;) {
        auto n = reader.read(offset, piece);
        if (!n) return failed(n);
        if (*n == 0) return base::to_hex(hash.finish());
        hash.update(std::span{piece}.first(*n));
        offset += *n;
    }
}

class guarded_store::upload final : public incoming {
public:
    upload(guarded_store& store, object_key key, std::unique_ptr<incoming> inner)
        : store_(store), inner_(std::move(inner))
    {
        identity_.key = std::move(key);
    }

    base::result<> write(std::span<const char> bytes) override
    {
        if (identity_.key.type == object_type::config) hash_.update(bytes);
        identity_.bytes += bytes.size();
        return inner_->write(bytes);
    }

    base::result<> commit() override
    {
        identity_.hash = identity_.key.type == object_type::config ? base::to_hex(hash_.finish()) : identity_.key.name;
        const std::shared_lock moving{store_.moving_};
        if (auto ok = inner_->commit(); !ok) return ok;
        try {
            store_.journal_.arrived(identity_);
            return {};
        } catch (const std::exception& e) {
            return journal_failed(e);
        }
    }

private:
    guarded_store& store_;
    std::unique_ptr<incoming> inner_;
    object_identity identity_;
    crypto::sha256 hash_;
};

base::result<std::unique_ptr<incoming>> guarded_store::receive(const object_key& key, std::uint64_t most)
{
    auto in = inner_.receive(key, most);
    if (!in) return failed(in);
    return std::make_unique<upload>(*this, key, std::move(*in));
}

base::result<> guarded_store::remove(const object_key& key)
{
    const std::shared_lock moving{moving_};
    auto reader = inner_.open(key);
    if (!reader && reader.error().code == fault_code::not_found) return inner_.remove(key);
    if (!reader) return failed(reader);
    object_identity o{key, key.name, (*reader)->size()};
    if (key.type == object_type::config) {
        auto hash = hash_of(**reader);
        if (!hash) return failed(hash);
        o.hash = std::move(*hash);
    }
    reader->reset();
    std::optional<std::int64_t> place;
    try {
        place = journal_.departing(o);
    } catch (const std::exception& e) {
        return journal_failed(e);
    }
    return place ? move_to_trash(o, *place) : inner_.remove(key);
}

base::result<> guarded_store::move_to_trash(const object_identity& o, std::int64_t place)
{
    const trash_entry e{o.key, o.hash, place};
    auto moved = trash_.bury(e);
    if (moved || (moved.error().code == fault_code::not_found && is_buried(trash_, e))) return {};
    try {
        journal_.stayed(o, place);
    } catch (const std::exception&) {
        // The row says that it is in the trash, the file is present: what a crash here would leave, too.
        return moved;
    }
    return moved;
}

} // namespace xentz::repo
