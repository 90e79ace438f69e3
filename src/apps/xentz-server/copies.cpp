#include "copies.hpp"

#include "base/time_text.hpp"

namespace xentz::apps {

std::optional<base::time_point> last_copy_at(store::fleet_store& store)
{
    const auto text = store.setting(setting_copied_at);
    return text ? base::parse_rfc3339(*text) : std::nullopt;
}

bool is_unconfirmed(store::fleet_store& store)
{
    const auto epoch = store.current_epoch();
    return epoch && !epoch->confirmed_at;
}

std::string epoch_id(store::fleet_store& store)
{
    const auto epoch = store.current_epoch();
    return epoch ? epoch->id : first_epoch;
}

std::vector<std::string> reminders(store::fleet_store& store, base::time_point now)
{
    std::vector<std::string> out;
    const auto copied = last_copy_at(store);
    if (!copied)
        out.emplace_back(
            "there is no copy of this control plane: without one and without the recovery sheet a lost disk "
            "takes the keys of all repositories with it; make one with `xentz-server backup DIR`");
    else if (now - *copied > copy_is_old_after)
        out.push_back("the last copy of this control plane was made on " + base::to_rfc3339(*copied) +
                      "; make another one with `xentz-server backup DIR`");
    if (const auto epoch = store.current_epoch(); epoch && !epoch->confirmed_at)
        out.push_back(
            "this control plane was restored from a copy of " + base::to_rfc3339(epoch->copy_made_at) +
            ": what was revoked or disabled since then is in force no more; look through `xentz-server device "
            "list`, revoke again what has to be, then say `xentz-server device confirm`");
    return out;
}

} // namespace xentz::apps
