#include "manual/manual_command.hpp"

#include "manual/completion.hpp"
#include "manual/man_page.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace xentz::manual {

void add_manual_command(CLI::App& app, const std::string& version)
{
    auto* manual = app.add_subcommand("manual", "print the man page, or the completion for a shell");
    manual->group("");
    auto form = std::make_shared<std::string>();
    manual->add_option("FORM", *form, "man, bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"man", "bash", "zsh", "fish"}));
    manual->callback([&app, form, version] {
        const auto tree = read_tree(app);
        if (*form == "man") std::cout << man_page(tree, version);
        if (*form == "bash") std::cout << bash_completion(tree);
        if (*form == "zsh") std::cout << zsh_completion(tree);
        if (*form == "fish") std::cout << fish_completion(tree);
        std::cout << std::flush;
        throw CLI::Success();
    });
}

} // namespace xentz::manual
