"""What the bench prints about one work: each server's figures, their ratios round by round, and the goals."""

import statistics

from repository import goals

INDENT = "  "


def spread(numbers, form):
    return f"{statistics.median(numbers):{form}} [{min(numbers):{form}} to {max(numbers):{form}}]"


def per_unit(run):
    """The server's CPU time for a GiB, or for a request where bytes are not what it is about."""
    return run.cpu / run.gibibytes if run.counts_bytes else run.cpu / run.requests * 1e6


def told(work, title, rounds, whole):
    """`rounds` has the runs of each server by name, in the order of the rounds. Of a trial, which is not `whole`, no
    goal counts as reached. Returns the lines."""
    some = next(iter(rounds.values()))[0]
    unit = "CPU s/GiB" if some.counts_bytes else "CPU us/request" if some.requests > 1 else "CPU us"
    form = ".3f" if some.counts_bytes else ",.0f"
    lines = [f"{work.name}: {title}",
             f"{INDENT}{'':14}{'wall s':30}{unit:34}{'anonymous MiB':26}{'resident MiB':24}"]
    for name, runs in rounds.items():
        columns = [spread([r.seconds for r in runs], ".3f").ljust(30),
                   spread([per_unit(r) for r in runs], form).ljust(34),
                   spread([r.anonymous for r in runs], ".1f").ljust(26), spread([r.resident for r in runs], ".1f")]
        lines.append(f"{INDENT}{name:14}{''.join(columns)}")
    lines += compared(rounds)
    if goals.OURS in rounds:
        lines += judged(work.goals, rounds, whole)
    return lines


def compared(rounds):
    lines = []
    pairs = [(goals.OURS, other) for other in rounds if other != goals.OURS and goals.OURS in rounds]
    pairs += [(peer, "floor") for peer in goals.PEERS if peer in rounds and "floor" in rounds]
    for above, below in pairs:
        wall, cpu = (spread(goals.ratios(rounds, figure, above, below), ".2f") for figure in ("seconds", "cpu"))
        lines.append(f"{INDENT}{above + ' / ' + below:28}wall {wall:24}CPU {cpu}")
    return lines


def judged(wanted, rounds, whole):
    lines, words = [], ("NOT REACHED", "reached") if whole else ("not reached in this trial", "reached in this trial")
    for goal in wanted:
        answer = goal(rounds)
        if answer:
            text, reached = answer
            lines.append(f"{INDENT}goal: {text}: {words[reached]}")
    return lines
