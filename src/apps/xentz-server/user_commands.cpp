#include "context.hpp"
#include "control/administration.hpp"
#include "installation.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

namespace xentz::apps {
namespace {

using base::result;

struct user_line {
    std::string email;
    base::time_point created_at;
};
BOOST_DESCRIBE_STRUCT(user_line, (), (email, created_at))

result<> list(const context& c, control::administrator& a)
{
    std::vector<user_line> lines;
    for (const auto& u : a.store.users()) lines.push_back({u.email, u.created_at});
    if (c.json) {
        print_json(lines);
        return {};
    }
    base::table table{{"USER", "CREATED (UTC)"}};
    for (const auto& line : lines) table.add({line.email, short_time(line.created_at)});
    print_table(table, "There is no user.");
    return {};
}

result<> show_once(const context& c, result<control::created_user> made)
{
    if (!made) return base::failed(made);
    if (c.json)
        print_json(*made);
    else
        print_line("User " + made->email + ", password " + made->password + " (shown only now).");
    return {};
}

template <class F>
void on_call(CLI::App* command, context& c, const F& f)
{
    command->callback([&c, f] {
        c.action = [&c, f]() -> result<> {
            auto store = open_store(c);
            if (!store) return base::failed(store);
            control::administrator a{**store, c.clock, c.random};
            return f(a);
        };
    });
}

} // namespace

void add_user_commands(CLI::App& app, context& c)
{
    auto* user = app.add_subcommand("user", "users: the administrators");
    user->require_subcommand(1);
    auto email = std::make_shared<std::string>();
    auto* add = user->add_subcommand("add", "make a user and print the generated password, once");
    add->add_option("EMAIL", *email, "e-mail address")->required();
    on_call(add, c, [&c, email](control::administrator& a) { return show_once(c, control::create_user(a, *email)); });
    on_call(user->add_subcommand("list", "show the users"), c, [&c](control::administrator& a) { return list(c, a); });
    auto* passwd = user->add_subcommand("passwd", "give a user a new generated password");
    passwd->add_option("EMAIL", *email, "e-mail address")->required();
    on_call(passwd, c,
            [&c, email](control::administrator& a) { return show_once(c, control::reset_password(a, *email)); });
}

} // namespace xentz::apps
