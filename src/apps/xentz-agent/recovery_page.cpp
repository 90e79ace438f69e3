#include "recovery_page.hpp"

#include "agent/recovery.hpp"
#include "os/terminal.hpp"
#include "output.hpp"

#include <qrencode.h>

#include <memory>

namespace xentz::apps {

std::string qr_code(const std::string& text)
{
    const std::unique_ptr<QRcode, decltype(&QRcode_free)> code{
        QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1), &QRcode_free};
    if (!code) return "";
    constexpr int margin = 2; // of light, so that a camera finds the corners
    const auto is_dark = [&](int x, int y) {
        return x >= 0 && y >= 0 && x < code->width && y < code->width && (code->data[y * code->width + x] & 1U) != 0;
    };
    std::string out;
    for (int y = -margin; y < code->width + margin; y += 2) {
        out += "\x1b[30;107m"; // black on white
        for (int x = -margin; x < code->width + margin; ++x) {
            const bool upper = is_dark(x, y);
            const bool lower = is_dark(x, y + 1);
            out += upper ? (lower ? "\u2588" : "\u2580") : (lower ? "\u2584" : " ");
        }
        out += "\x1b[0m\n";
    }
    return out;
}

void show_recovery_sheet(const agent::local_config& c, const std::string& password, bool asked_for)
{
    const bool shown = os::is_terminal(os::output::standard);
    if (!shown && !asked_for) return;
    print_line("\n" + agent::recovery_sheet_of(c, password));
    if (shown) print_line(qr_code(password));
}

} // namespace xentz::apps
