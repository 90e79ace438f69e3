// Removes secrets from text before it is shown, logged, stored or sent: every secret it was told of, and
// the password of any URL of the form scheme://user:password@host (restic prints a malformed address whole).
// Threads: `add` and `clean` may be called from any thread at once.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::base {

class redactor {
public:
    // Texts shorter than 6 characters are ignored: replacing them would hide more than it protects.
    void add(std::string_view secret);
    std::string clean(std::string_view text) const;

private:
    mutable std::mutex mutex_;
    std::vector<std::string> secrets_;
};

} // namespace xentz::base
