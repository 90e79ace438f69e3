"""kill -9 at random moments: of the agent, of its restic, of the server. No hand is laid on anything afterwards, and
still the next run succeeds, the repository is whole, and the server has each run exactly once.

XENTZ_TEST_KILLS says how many (script/test --soak: 200); XENTZ_TEST_SEED repeats a run."""

import fcntl
import json
import os
import random
import shutil
import signal
import time

from harness import programs, trees

KILLS = int(os.environ.get("XENTZ_TEST_KILLS", "8"))
SEED = int(os.environ.get("XENTZ_TEST_SEED", "0")) or time.time_ns() % 1_000_000
LONGEST = 2.2  # seconds into a run; an undisturbed backup takes about as long


class Ledger:
    """What must be known to the server in the end: the report id of each run that was seen under way or recorded."""

    def __init__(self, agent):
        self.agent = agent
        self.expected = {}  # report id -> the job

    def look(self):
        """After a kill: whatever lies on the machine's disk must arrive."""
        for name in ("backup", "retention", "running"):
            path = self.agent.home / "state" / f"{name}.json"
            if not path.exists():
                continue
            found = json.loads(path.read_text())
            self.expected.setdefault(found["report_id"], found["job"])
        for report in self.agent.spooled():
            self.expected.setdefault(report["report_id"], report["job"])

    def killed(self):
        """The run that is marked and has no result of its own: it must be told as interrupted."""
        if not self.agent.marker:
            return None
        marker = json.loads(self.agent.marker.read_text())
        path = self.agent.home / "state" / f"{marker['job']}.json"
        finished = path.exists() and json.loads(path.read_text())["report_id"] == marker["report_id"]
        return None if finished else marker["report_id"]


def shake(server, agent, source, dice):
    """One run that is killed, or whose server or restic is. Says what was done."""
    victim = dice.choice(["agent", "agent", "restic", "server"])
    job = dice.choice(["backup", "backup", "retention"])
    (source / f"new-{dice.randrange(1 << 30)}").write_bytes(dice.randbytes(1 << 20))
    running = agent.begin(job)
    time.sleep(dice.uniform(0, LONGEST))
    if victim == "server":
        server.kill()
        server.restart()
    elif victim == "restic":
        for pid in programs.children_of(running.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    else:
        # setpriv made way for the agent, so this is the agent itself.
        running.send_signal(signal.SIGKILL)
    outcome = programs.finish(running, ["xentz-agent", job])
    if victim == "agent":
        programs.wait_until(lambda: run_lock_is_free(agent), "an orphaned restic to be gone", limit=120)
    return f"{job}, {victim} killed, ended {outcome.code}"


def run_lock_is_free(agent):
    path = agent.home / "run.lock"
    if not path.exists():
        return True
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_whatever_is_killed_the_next_run_puts_it_right(world, restic):
    print(f"seed {SEED}, {KILLS} kills")
    dice = random.Random(SEED)
    server = world.server(policy={"retention": {"keep_last": 4, "prune": True}})
    source = world.folder(files=200)
    trees.make_bulk(source / "bulk", 12)
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    ledger, interrupted = Ledger(agent), []
    for number in range(KILLS):
        what = f"seed {SEED}, kill {number}: " + shake(server, agent, source, dice)
        print(what)
        ledger.look()
        if killed := ledger.killed():
            interrupted.append(killed)
        for old in sorted(source.glob("new-*"))[:-3]:
            old.unlink()
        for job in ("backup", "retention"):
            after = agent.run(job)
            assert after.code == 0, f"{what}; then {job} ended {after.code}\n{after.text}"
        ledger.look()
        if number % 10 == 9:
            agent.repository.assert_whole()
    reports = server.ask("report", "list", "--limit", "100000", "--device", agent.device_id)
    by_id = {r["report_id"]: r for r in reports}
    assert len(by_id) == len(reports), "a report came twice"
    assert len({(r["job"], r["started_at"]) for r in reports}) == len(reports), "a run came twice"
    assert not [i for i in ledger.expected if i not in by_id], "a report was lost"
    assert [by_id[i]["outcome"] for i in interrupted] == ["interrupted"] * len(interrupted)
    assert agent.spooled() == [] and agent.marker is None
    assert agent.repository.names("locks") == {}, "no dead lock stays behind"
    agent.repository.assert_whole()
    plain = agent.plain_restic()
    outcome = plain.run("check", "--read-data").expect(0)
    assert "no errors were found" in outcome.out, outcome.text
    target = world.room / "restored"
    agent.run("backup").expect(0)
    agent.run("restore", "latest", "--target", target).expect(0)
    trees.assert_same(source, trees.below(target, source))
    shutil.rmtree(target)
