// The recovery sheet of a machine that alone has its repository's password, for paper: text, and a QR code of the
// password below it.
#pragma once

#include <string>

namespace xentz::apps {

// Empty where the text is too long for a QR code. Two rows of it in each line, by half blocks; dark on light whatever
// the terminal's colours are.
std::string qr_code(const std::string& text);

} // namespace xentz::apps
