"""Clients of a fleet that go on for as long as they are let, and keep a ledger of what was acknowledged to them. Each
sends again what failed, as real ones do, and fails where that does not help within `HEALS_WITHIN` seconds."""

import concurrent.futures
import json
import random
import threading
import time
import traceback

from . import fleet, net, trees

HEALS_WITHIN = 60
MAY_PASS = (502, 503, 504)


def at_once(count, work):
    """Calls work(number) on `count` threads that start together."""
    gate = threading.Barrier(count)

    def one(number):
        gate.wait()
        return work(number)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


class Client(threading.Thread):
    """Does `step` again and again; `finish` raises what went wrong in it."""

    def __init__(self, pair, seed):
        super().__init__(daemon=True)
        self.pair = pair
        self.dice = random.Random(seed)
        self.retries = 0
        self._over = threading.Event()
        self._failure = None

    def run(self):
        try:
            while not self._over.is_set():
                self.step()
        except BaseException:  # of a thread nobody else would see it
            self._failure = traceback.format_exc()

    def finish(self, limit=600):
        self._over.set()
        self.join(limit)
        assert not self.is_alive(), f"{type(self).__name__}: a step that never ends"
        assert not self._failure, self._failure

    def assert_well(self):
        assert not self._failure, self._failure

    def pause(self, seconds):
        self._over.wait(seconds)

    def insist(self, path, method="GET", body=None, headers=None):
        """The answer to a request, sent again until it is one of the server's that says something."""
        end = time.monotonic() + HEALS_WITHIN
        while True:
            try:
                answer = self.pair.request(path, method, body, headers)
                if answer.status not in MAY_PASS:
                    return answer
                last = answer.status
            except OSError as error:
                last = error
            self.retries += 1
            assert time.monotonic() < end, f"{method} {path}: {last}, also after {HEALS_WITHIN} s"
            time.sleep(self.dice.uniform(0.05, 0.3))


class Keeper(Client):
    """A plain restic that backs up a changing folder, thins it out and checks it. `kept` is every snapshot that must be
    there, with what has to come back of it."""

    def __init__(self, pair, owner, source, seed):
        super().__init__(pair, seed)
        self.owner, self.source = owner, source
        self.kept = {}
        self.runs = self.again = 0

    def step(self):
        self.runs += 1
        chance = self.dice.random()
        if chance < 0.2:
            self.restic("forget", "--keep-last", "2", "--prune", "--max-unused", "0")
            self.kept = dict(list(self.kept.items())[-2:])
        elif chance < 0.3:
            self.restic("check")
        else:
            self.back_up()

    def restic(self, *args):
        """restic repeats each of its requests itself, but for the one by which it opens the repository: while both
        servers are down the command ends at once, and is given again. No other failure is forgiven."""
        end = time.monotonic() + HEALS_WITHIN
        while True:
            outcome = self.owner.restic.run(*args)
            not_opened = outcome.code != 0 and "unable to open config file" in outcome.err and "502" in outcome.err
            if not not_opened or time.monotonic() > end:
                return outcome.expect(0)
            self.again += 1
            self.pause(0.3)

    def back_up(self):
        file = self.source / f"file-{self.dice.randrange(4)}"
        file.write_bytes(self.dice.randbytes(self.dice.randrange(1 << 16, 6 << 20)))
        survey = trees.survey(self.source)
        said = self.restic("backup", self.source, "--json").out.splitlines()
        self.kept[json.loads(said[-1])["snapshot_id"]] = survey

    def assert_kept(self, room):
        """Exactly what was acknowledged is listed, and comes back as it was."""
        there = {s["id"]: s["short_id"] for s in self.owner.restic.snapshots()}
        kept = {short: survey for id, short in there.items() for known, survey in self.kept.items()
                if id.startswith(known)}
        assert len(there) == len(kept) == len(self.kept), f"{sorted(there)} are listed, {sorted(self.kept)} were made"
        for short, survey in kept.items():
            target = room / f"restored-{self.owner.device}-{short}"
            self.owner.run("restore", short, "--target", target)
            found = trees.differences(survey, trees.survey(trees.below(target, self.source)))
            assert not found, "\n".join(found)


class MachineAgent(Client):
    """A real agent that backs up. A run may fail while its server is away; each one is reported all the same."""

    def __init__(self, pair, agent, source, seed):
        super().__init__(pair, seed)
        self.agent, self.source = agent, source
        self.runs = self.good = 0

    def step(self):
        (self.source / "changing").write_bytes(self.dice.randbytes(self.dice.randrange(1 << 10, 2 << 20)))
        self.runs += 1
        self.good += self.agent.run("backup").code == 0
        self.pause(0.2)


class Reporter(Client):
    """A device that only reports, now and then twice: an answer may be lost."""

    def __init__(self, pair, seed):
        super().__init__(pair, seed)
        made = fleet.install(pair, pair.token("acme"), pair.ca_file).data
        self.device, self.key = made["device_id"], made["device_api_key"]
        self.acknowledged = set()

    def step(self):
        report = f"rep_{self.device}_{len(self.acknowledged)}"
        body = fleet.report_body(self.device, report_id=report)
        for _ in range(1 + (self.dice.random() < 0.3)):
            answer = self.insist("/v1/report", "POST", body, net.bearer(self.key))
            assert (answer.status, answer.data) == (200, {"report_id": report}), answer
        self.acknowledged.add(report)
        self.pause(0.05)


class Enroller(Client):
    """Machines that are installed, each with a token of its own, which then opens nothing any more."""

    def __init__(self, pair, seed):
        super().__init__(pair, seed)
        self.devices = {}  # id -> key

    def step(self):
        token = self.pair.token("acme")
        body = {"metadata": fleet.METADATA}
        answer = self.insist("/v1/install", "POST", body, {**net.bearer(token), "Idempotency-Key": token[-20:]})
        assert answer.status == 200, answer
        device, key = answer.data["device_id"], answer.data["device_api_key"]
        assert device not in self.devices
        again = self.insist("/v1/install", "POST", body, {**net.bearer(token), "Idempotency-Key": "another"})
        assert (again.status, again.problem["type"]) == (401, "token-used"), again
        assert self.insist("/v1/config", headers=net.bearer(key)).status == 200, "the key that was handed out opens"
        self.devices[device] = key
        self.pause(0.3)
