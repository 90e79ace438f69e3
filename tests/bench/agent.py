"""Wall time of `xentz-agent backup` against the plain restic that it runs.

Both back up the same folder, unchanged since the first run, to repositories of the same server: what is left is what
the agent adds (fetching its config, looking whether the repository is there, state, report). Alternating pairs, so that
what else the machine does meets both alike.
"""

import argparse
import pathlib
import shutil
import statistics
import tempfile
import time

from harness import programs, trees
from harness.agent import Agent
from harness.server import Server


def main():
    options = argparse.ArgumentParser(prog="script/bench agent")
    options.add_argument("--pairs", type=int, default=15)
    options.add_argument("--files", type=int, default=2000)
    options.add_argument("--mebibytes", type=int, default=64)
    asked = options.parse_args()
    room = pathlib.Path(tempfile.mkdtemp(prefix="xentz-bench-"))
    server = Server(room)
    try:
        measure(asked, room, server)
    finally:
        server.close()
        shutil.rmtree(room)


def measure(asked, room, server):
    server.tenant("bench")
    server.policy("bench", {})
    server.start()
    source = room / "source"
    trees.make_small(source, asked.files)
    trees.make_bulk(source / "bulk", asked.mebibytes)
    restic = programs.restic_programs()[-1]
    devices = []
    for name in ("with", "without"):
        agent = Agent(room, restic, name)
        agent.install(server.url, server.token("bench"), source)
        agent.run("backup").expect(0)
        devices.append(agent)
    with_agent, without = devices
    plain = without.plain_restic()

    def agent_run():
        return with_agent.run("backup").expect(0)

    def restic_run():
        return plain.run("backup", "--json", source).expect(0)

    restic_run()  # fills its cache
    times = {agent_run: [], restic_run: []}
    for pair in range(asked.pairs):
        for one in (agent_run, restic_run) if pair % 2 else (restic_run, agent_run):
            started = time.perf_counter()
            one()
            times[one].append(time.perf_counter() - started)
    ours, theirs = (statistics.median(times[one]) for one in (agent_run, restic_run))
    print(f"restic {programs.restic_version(restic)}, {asked.files} files and {asked.mebibytes} MiB unchanged, "
          f"{asked.pairs} pairs, medians")
    print(f"  restic backup        {theirs * 1000:8.0f} ms   ({min(times[restic_run]) * 1000:.0f} to "
          f"{max(times[restic_run]) * 1000:.0f})")
    print(f"  xentz-agent backup   {ours * 1000:8.0f} ms   ({min(times[agent_run]) * 1000:.0f} to "
          f"{max(times[agent_run]) * 1000:.0f})")
    print(f"  ratio                {ours / theirs:8.2f}      (+{(ours - theirs) * 1000:.0f} ms)")


if __name__ == "__main__":
    main()
