// restic's environment. It is built from a list of names and not inherited: a variable of the user could name another
// repository or another password. docs/agent-files.md has the same list; a test compares.
//
// Threads: pure functions.
// Source: restic's manual (environment variables), Go's net/http and crypto/x509, OpenSSH.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace xentz::restic {

// The names that are handed on from the user's environment: where programs, home and temporary files are, time zone and
// language, proxies, certificates, memory of a Go program, and the credentials of storages other than rest:.
std::span<const std::string_view> inherited_names();

// Those of them that are set; `variable` gives the value, empty where there is none.
std::map<std::string, std::string> inherited(const std::function<std::string(const std::string&)>& variable);
// Those of `base` that are on the list.
std::map<std::string, std::string> inherited(const std::map<std::string, std::string>& base);

struct environment_files {
    std::filesystem::path repository; // holds the address
    std::filesystem::path password;
    std::filesystem::path cache; // folder
};

// What is inherited of `base`, and our own.
std::map<std::string, std::string> environment(const std::map<std::string, std::string>& base,
                                               const environment_files& files);

} // namespace xentz::restic
