#include "manual/command_tree.hpp"

#include <CLI/CLI.hpp>

namespace xentz::manual {
namespace {

std::vector<std::string> names_of(const CLI::Option& o)
{
    std::vector<std::string> names;
    for (const auto& name : o.get_lnames()) names.push_back("--" + name);
    for (const auto& name : o.get_snames()) names.push_back("-" + name);
    return names;
}

option read_option(const CLI::Option& o)
{
    const bool flag = o.get_items_expected_max() == 0;
    return {.names = names_of(o),
            // An option that takes a value has one to show, whatever its type is called.
            .value = flag                        ? ""
                     : o.get_type_name().empty() ? "VALUE"
                                                 : o.get_type_name(),
            .description = o.get_description(),
            .standard = flag ? "" : o.get_default_str(),
            .required = o.get_required()};
}

argument read_argument(const CLI::Option& o)
{
    return {.name = o.get_name(true),
            .description = o.get_description(),
            .required = o.get_required(),
            .repeatable = o.get_items_expected_max() > 1};
}

} // namespace

command read_tree(const CLI::App& app)
{
    command c{.name = app.get_name(), .description = app.get_description(), .footer = app.get_footer()};
    for (const auto* o : app.get_options()) {
        if (o->get_group().empty()) continue;
        if (o->get_positional())
            c.arguments.push_back(read_argument(*o));
        else
            c.options.push_back(read_option(*o));
    }
    for (const auto* below : app.get_subcommands([](const CLI::App* a) { return !a->get_group().empty(); }))
        c.commands.push_back(read_tree(*below));
    return c;
}

} // namespace xentz::manual
