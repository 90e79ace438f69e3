// The timers as one marked block of a crontab (crontab(5)). Everything outside of the block belongs to somebody else
// and stays as it is, byte for byte.
// Threads: pure functions.
#pragma once

#include "schedule/timers.hpp"

#include <optional>
#include <string>

namespace xentz::schedule {

// The block with its two marks. Cron knows no seconds: a start comes at the full minute, and the run waits for its
// second. invalid_value where a line would be longer than cron takes.
base::result<std::string> crontab_block(const timer_set& t);

// The block of that instance in a crontab; absent where there is none. conflict where its marks do not match.
base::result<std::optional<std::string>> find_block(const std::string& crontab, const std::string& instance);

// The crontab with the block in the place of the old one, at the end where there was none, and no second one of the
// same instance. An empty block takes it out.
base::result<std::string> with_block(const std::string& crontab, const std::string& instance, const std::string& block);

// A word for sh, inside of a crontab line.
std::string cron_word(std::string_view text);

} // namespace xentz::schedule
