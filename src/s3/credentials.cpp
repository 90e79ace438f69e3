#include "s3/credentials.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace xentz::s3 {
namespace {

using base::fail;
using base::fault_code;

constexpr std::uint64_t most_file_bytes = std::uint64_t{1} << 20U;
// Amazon offers new ones five minutes before the old expire, at least.
constexpr auto renew_before = std::chrono::minutes{4};
constexpr auto metadata_endpoint = "http://169.254.169.254";

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view blank = " \t\r";
    const auto start = text.find_first_not_of(blank);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(blank) - start + 1);
}

bool is_section(std::string_view line, std::string_view profile)
{
    auto name = trimmed(line.substr(1, line.size() - 2));
    if (name.starts_with("profile ")) name = trimmed(name.substr(8));
    return name == profile;
}

class found_credentials final : public credential_source {
public:
    found_credentials(const address& a, credential_places places, std::unique_ptr<http::client> metadata)
        : file_(a.credentials_file), profile_(a.profile), places_(std::move(places)), metadata_(std::move(metadata))
    {
    }

    base::result<credentials> get() override
    {
        const std::lock_guard guard{mutex_};
        if (known_ && (!known_->expires_at || places_.clock.now() < *known_->expires_at - renew_before)) return *known_;
        auto found = look();
        // Those that are still good for some minutes are better than none.
        if (!found && known_ && known_->expires_at && places_.clock.now() < *known_->expires_at) return *known_;
        return found;
    }

    base::result<credentials> renewed() override
    {
        const std::lock_guard guard{mutex_};
        return look();
    }

private:
    base::result<credentials> look()
    {
        auto found = look_everywhere();
        if (!found) return found;
        places_.redactor.add(found->secret_key);
        places_.redactor.add(found->session_token);
        known_ = *found;
        return found;
    }

    base::result<credentials> look_everywhere()
    {
        if (file_) return read(*file_);
        if (auto given = from_environment()) return std::move(*given);
        if (const auto named = places_.variables("AWS_SHARED_CREDENTIALS_FILE")) return read(*named);
        if (places_.variables("AWS_EC2_METADATA_DISABLED").value_or("") == "true") return none_found();
        auto found = ask_instance_metadata(
            *metadata_, places_.variables("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or(metadata_endpoint));
        if (found) return found;
        const auto code = found.error().code;
        if (code == fault_code::network_unreachable || code == fault_code::network_timeout) return none_found();
        return fail(code,
                    "neither the environment nor a file has access keys for the object store, and " +
                        found.error().message,
                    found.error().remedy);
    }

    std::optional<credentials> from_environment() const
    {
        const auto access = places_.variables("AWS_ACCESS_KEY_ID");
        const auto secret = places_.variables("AWS_SECRET_ACCESS_KEY");
        if (!access || !secret) return std::nullopt;
        return credentials{.access_key = *access,
                           .secret_key = *secret,
                           .session_token = places_.variables("AWS_SESSION_TOKEN").value_or(""),
                           .expires_at = {},
                           .origin = "the environment"};
    }

    base::result<credentials> read(const std::filesystem::path& file) const
    {
        const auto text = os::read_all(places_.files, file, most_file_bytes);
        if (!text) return std::unexpected(text.error());
        auto found = parse_credentials_file(*text, profile_);
        if (!found) return fail(found.error().code, file.string() + ": " + found.error().message, found.error().remedy);
        found->origin = file.string();
        return found;
    }

    static base::result<credentials> none_found()
    {
        return fail(fault_code::config_missing, "there are no access keys for the object store",
                    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file with credentials= in the address");
    }

    std::optional<std::filesystem::path> file_;
    std::string profile_;
    credential_places places_;
    std::unique_ptr<http::client> metadata_;
    std::mutex mutex_;
    std::optional<credentials> known_;
};

} // namespace

base::result<credentials> parse_credentials_file(std::string_view text, std::string_view profile)
{
    credentials out;
    bool inside = false;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.size() >= 2 && line.front() == '[' && line.back() == ']') inside = is_section(line, profile);
        const auto sign = line.find('=');
        if (!inside || sign == std::string_view::npos || line.front() == '#' || line.front() == ';') continue;
        const auto name = trimmed(line.substr(0, sign));
        const auto value = trimmed(line.substr(sign + 1));
        if (name == "aws_access_key_id") out.access_key = value;
        if (name == "aws_secret_access_key") out.secret_key = value;
        if (name == "aws_session_token") out.session_token = value;
    }
    if (!out.access_key.empty() && !out.secret_key.empty()) return out;
    return fail(fault_code::config_invalid, "there are no access keys in the section [" + std::string{profile} + "]",
                "Give the section aws_access_key_id and aws_secret_access_key, or name another one with profile=");
}

std::unique_ptr<credential_source> make_credential_source(const address& a, credential_places places,
                                                          std::unique_ptr<http::client> metadata)
{
    return std::make_unique<found_credentials>(a, std::move(places), std::move(metadata));
}

} // namespace xentz::s3
