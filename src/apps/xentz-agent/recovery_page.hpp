// The recovery sheet of a machine that alone has its repository's password, for paper: text, and a QR code of the
// password below it.
#pragma once

#include "agent/local_config.hpp"

#include <string>

namespace xentz::apps {

// Empty where the text is too long for a QR code. Two rows of it in each line, by half blocks; dark on light whatever
// the terminal's colours are.
std::string qr_code(const std::string& text);

// Prints both, on a terminal only: where the output goes into a log, a password has no business in it. The sheet also
// elsewhere where that is asked for.
void show_recovery_sheet(const agent::local_config& c, const std::string& password, bool asked_for);

} // namespace xentz::apps
