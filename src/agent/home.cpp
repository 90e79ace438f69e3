#include "agent/home.hpp"

namespace xentz::agent {

base::result<> prepare(os::files& fs, const home& h)
{
    for (const auto& folder :
         {h.folder, h.folder / "state", h.spool(), h.rejected(), h.sent(), h.folder / "logs", h.cache(), h.runtime()})
        if (auto ok = os::create_directories(fs, folder); !ok) return ok;
    return {};
}

} // namespace xentz::agent
