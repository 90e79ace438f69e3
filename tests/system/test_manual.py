"""Man pages and completions come from the description of the options: they hold every command and option that --help
shows, groff has nothing to say against the pages, and real shells complete with them."""

import re
import subprocess

import pytest

from harness import programs

PROGRAMS = ("xentz-agent", "xentz-server")


@pytest.fixture(params=PROGRAMS)
def name(request):
    return request.param


def said(name, *args):
    return programs.run([programs.program(name), *args], programs.clean_environment(), 60).expect(0).out


def commands_of(name, *path):
    """What --help lists below "Subcommands:", all the way down, with the options of each."""
    text = said(name, *path, "--help")
    options = set(re.findall(r"^\s+(?:-\w,)?(--[a-z][a-z-]*)", text, re.M))
    yield path, options
    below = text.split("Subcommands:\n")[1:] and text.split("Subcommands:\n")[1].split("\n\n")[0]
    for command in re.findall(r"^  ([a-z][a-z-]*)\s", below or "", re.M):
        yield from commands_of(name, *path, command)


def test_everything_that_help_shows_is_in_all_of_them(name):
    texts = {form: said(name, "manual", form) for form in ("man", "bash", "zsh", "fish")}
    found = list(commands_of(name))
    assert len(found) > 10
    for path, options in found:
        place = " ".join(path)
        if path:
            for form, text in texts.items():
                written = place.replace("-", "\\-") if form == "man" else place
                assert written in text, f"{place} is missing in {form}"
        block = re.search(rf'^    "{place}"\) words=\'(.*)\' ;;$', texts["bash"], re.M)
        assert block and options <= set(block[1].split()), f"{place}: {options} {block and block[1]}"
        for option in options:
            assert option.replace("-", "\\-") in texts["man"], option
            assert option in texts["zsh"] and f"-l {option[2:]}" in texts["fish"], option
    assert not any(re.search(r"\bmanual\b", texts[form]) for form in ("bash", "zsh", "fish")), "it is hidden"


def test_groff_takes_the_page_without_a_warning(name):
    page = said(name, "manual", "man")
    made = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-P-cbu"], input=page, capture_output=True, text=True,
                          timeout=60)
    assert made.returncode == 0 and made.stderr == "", made.stderr
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS"):
        assert re.search(rf"^{heading}$", made.stdout, re.M), heading


def bash_completes(name, line):
    """What bash offers at the end of the line."""
    words = line.split(" ")
    script = said(name, "manual", "bash") + (
        f"COMP_WORDS=({' '.join(repr(w) for w in words)}); COMP_CWORD={len(words) - 1}\n"
        f"_{name.replace('-', '_')}; printf '%s\\n' \"${{COMPREPLY[@]}}\"\n")
    made = subprocess.run(["bash", "-u", "-e", "-c", script], capture_output=True, text=True, timeout=60)
    assert made.returncode == 0 and made.stderr == "", made.stderr
    return made.stdout.split()


def test_bash_completes(name):
    first = {"xentz-agent": "backup", "xentz-server": "serve"}[name]
    assert first in bash_completes(name, f"{name} {first[:3]}")
    assert "manual" not in bash_completes(name, f"{name} ")
    assert "--json" in bash_completes(name, f"{name} {first} --js")
    if name == "xentz-agent":
        assert bash_completes(name, "xentz-agent config ") [:4] == ["show", "set", "add", "remove"]
        assert bash_completes(name, "xentz-agent --config backup config set inc") == ["include"], "a value is no command"
        assert bash_completes(name, "xentz-agent restore --target ") == [], "file names are the shell's"


def test_bash_knows_the_function(name):
    out = subprocess.run(["bash", "-c", said(name, "manual", "bash") + f"complete -p {name}"], capture_output=True,
                         text=True, timeout=60)
    assert out.stdout.strip().endswith(name) and "-o default" in out.stdout, out


def test_zsh_and_fish_take_theirs(name):
    checked = subprocess.run(["zsh", "-n", "/dev/stdin"], input=said(name, "manual", "zsh"), capture_output=True,
                             text=True, timeout=60)
    assert checked.returncode == 0 and checked.stderr == "", checked.stderr
    script = said(name, "manual", "fish")
    offered = subprocess.run(["fish", "--no-config", "-c", script + f"complete -C '{name} re'"], capture_output=True,
                             text=True, timeout=60)
    assert offered.stderr == "", offered.stderr
    if name == "xentz-agent":
        assert re.search(r"^restore\tget files back", offered.stdout, re.M), offered.stdout
        deeper = subprocess.run(["fish", "--no-config", "-c", script + "complete -C 'xentz-agent config sh'"],
                                capture_output=True, text=True, timeout=60)
        assert deeper.stdout.startswith("show\t"), deeper
