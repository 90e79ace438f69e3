#include "manual/command_tree.hpp"
#include "manual/completion.hpp"
#include "manual/man_page.hpp"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

namespace xentz::manual {
namespace {

struct program : testing::Test {
    CLI::App app{"Moves things. Slowly.\n\nExample:\n  mover go HERE", "mover"};
    std::string config, speed = "slow";
    std::vector<std::string> places;
    bool loud = false;

    program()
    {
        app.footer("\nExit code: 0 done.");
        app.add_option("--config,-c", config, "file to read");
        auto* go = app.add_subcommand("go", "go to a place; don't wait");
        go->add_option("PLACE", places, "where to go")->required();
        go->add_option("--speed", speed, "how fast")->capture_default_str();
        go->add_flag("--loud", loud, "make .noise \\ and 'quotes'");
        auto* list = app.add_subcommand("list", "what there is");
        list->add_subcommand("places", "the places");
        app.add_subcommand("secret", "not for everybody")->group("");
    }
    command tree() { return read_tree(app); }
};

TEST_F(program, is_read_as_it_parses)
{
    const auto t = tree();
    EXPECT_EQ(t.name, "mover");
    ASSERT_EQ(t.options.size(), 2U); // --help and --config
    EXPECT_EQ(t.options[1].names, (std::vector<std::string>{"--config", "-c"}));
    EXPECT_EQ(t.options[1].value, "TEXT");
    ASSERT_EQ(t.commands.size(), 2U); // without what is hidden
    const auto& go = t.commands[0];
    ASSERT_EQ(go.arguments.size(), 1U);
    EXPECT_EQ(go.arguments[0].name, "PLACE");
    EXPECT_TRUE(go.arguments[0].required && go.arguments[0].repeatable);
    EXPECT_EQ(go.options[1].standard, "slow");
    EXPECT_EQ(go.options[2].value, ""); // a flag
    EXPECT_EQ(t.commands[1].commands[0].name, "places");
}

TEST_F(program, has_a_man_page)
{
    const auto page = man_page(tree(), "1.2");
    EXPECT_TRUE(
        page.starts_with(".TH MOVER 1 \"\" \"xentz 1.2\" \"User Commands\"\n.SH NAME\nmover \\- Moves things\n"));
    for (const auto* part :
         {".SS \\fBgo\\fR \\fIPLACE\\fR... [\\fIOPTIONS\\fR]\n", ".SS \\fBlist places\\fR",
          "\\fB\\-\\-config\\fR, \\fB\\-c\\fR \\fITEXT\\fR\nfile to read\n", "; otherwise \\fIslow\\fR\n",
          ".nf\n  mover go HERE\n.fi\n", ".SH NOTES\nExit code: 0 done.\n", "go to a place; don\\(aqt wait\n",
          "make .noise \\e and \\(aqquotes\\(aq\n"})
        EXPECT_NE(page.find(part), std::string::npos) << part << "\n" << page;
    EXPECT_EQ(page.find("secret"), std::string::npos);
}

TEST(man_page, text_is_never_a_request)
{
    const auto page = man_page({.name = "x", .description = ".so /etc/passwd\n'x"}, "1");
    EXPECT_NE(page.find("\n\\&.so /etc/passwd\n\\&\\(aqx\n"), std::string::npos) << page;
}

TEST_F(program, has_completions_that_quote_what_they_say)
{
    const auto bash = bash_completion(tree());
    EXPECT_NE(bash.find("\"go\") words='--help -h --speed --loud --config -c' ;;"), std::string::npos) << bash;
    EXPECT_NE(bash.find("\"list\") words='places "), std::string::npos) << bash;
    EXPECT_EQ(bash.find("secret"), std::string::npos);
    const auto zsh = zsh_completion(tree());
    EXPECT_TRUE(zsh.starts_with("#compdef mover\n"));
    EXPECT_NE(zsh.find("'go:go to a place; don'\\''t wait'"), std::string::npos) << zsh;
    const auto fish = fish_completion(tree());
    EXPECT_NE(fish.find(" -f -a go -d 'go to a place; don\\'t wait'\n"), std::string::npos) << fish;
    EXPECT_NE(fish.find(" -l loud -d 'make .noise \\\\ and \\'quotes\\''\n"), std::string::npos) << fish;
    EXPECT_NE(fish.find(" -l config -s c -r -d"), std::string::npos) << fish;
}

} // namespace
} // namespace xentz::manual
