"""kill -9 of the server at random moments, while four restics store, forget and prune: every object that was
acknowledged is there, nothing partial is listed, and each repository checks clean.

XENTZ_TEST_SERVER_KILLS says how many (script/test --soak: 300); XENTZ_TEST_SEED repeats a run."""

import os
import random
import threading
import time

from harness import trees
from harness.owner import Owner

KILLS = int(os.environ.get("XENTZ_TEST_SERVER_KILLS", "6"))
SEED = int(os.environ.get("XENTZ_TEST_SEED", "0")) or time.time_ns() % 1_000_000
LONGEST = 1.2  # seconds between two kills while the server serves


class Acknowledged:
    """The hook of a proxy: which objects the server has said 200 to, but for those that somebody asked to delete."""

    def __init__(self):
        self._lock = threading.Lock()
        self.standing = {}  # path -> its length
        self.stored = self.deleted = 0

    def __call__(self, method, path, body):
        path = path.partition("?")[0]
        if method == "DELETE":
            # From here on it may be there or not, whatever is answered.
            with self._lock:
                self.standing.pop(path, None)
                self.deleted += 1
        if method != "POST" or path.endswith("/"):
            return None

        def look(answer):
            if answer.status == 200:
                with self._lock:
                    self.standing[path] = len(body)
                    self.stored += 1
            return answer

        return look


class Worker(threading.Thread):
    """Backs up, and now and then thins out, again and again; that a run fails is part of it."""

    def __init__(self, owner, source, thins_out, seed):
        super().__init__(daemon=True)
        self.owner, self.source, self.thins_out = owner, source, thins_out
        self.dice = random.Random(seed)
        self.over = threading.Event()
        self.runs = self.good = 0

    def run(self):
        while not self.over.is_set():
            (self.source / f"file-{self.dice.randrange(6)}").write_bytes(self.dice.randbytes(3 << 20))
            job = ["backup", self.source]
            if self.thins_out and self.dice.random() < 0.3:
                # What the last prune that was cut off has left locked is nobody's any more.
                self.owner.restic.run("unlock", "--remove-all")
                job = ["forget", "--keep-last", "2", "--prune"]
            self.runs += 1
            self.good += self.owner.restic.run(*job).code == 0


def test_what_was_acknowledged_survives_every_kill(world, restic):
    print(f"seed {SEED}, {KILLS} kills")
    dice = random.Random(SEED)
    server = world.server()
    for name in ("full", "append-only"):
        server.tenant(name)
        server.policy(name, {"include": [], "retention": {"keep_last": 10, "prune": True}})
        server.admin("tenant", "set", name, f"protection={name}").expect(0)
    proxy = world.control_proxy(server, forgetful=True)
    proxy.hook = acknowledged = Acknowledged()
    workers = []
    for number, tenant in enumerate(("acme", "acme", "full", "append-only")):
        owner = Owner(server, restic, world.room, tenant, through=proxy.url)
        owner.run("init")
        workers.append(Worker(owner, world.folder(f"source{number}", seed=number), tenant != "append-only",
                              SEED + number))
    for worker in workers:
        worker.start()
    for number in range(KILLS):
        time.sleep(dice.uniform(0.05, LONGEST))
        server.kill()
        server.restart()
        if number % 50 == 49:
            print(f"{number + 1} kills, {acknowledged.stored} objects acknowledged")
    for worker in workers:
        worker.over.set()
    for worker in workers:
        worker.join(1200)
        assert not worker.is_alive(), "a restic that never ends"
    print(f"{acknowledged.stored} objects acknowledged, {acknowledged.deleted} deletions, "
          f"{sum(w.good for w in workers)} of {sum(w.runs for w in workers)} runs succeeded")
    assert acknowledged.stored > 4 * KILLS and all(w.good for w in workers)

    server.kill()
    server.restart()
    assert not [f for f in server.stored_files() if f.startswith("incoming/")], "swept"
    for worker in workers:
        owner = worker.owner
        listed = owner.repository.assert_whole()
        standing = {path.removeprefix(owner.repository.path): length for path, length in
                    acknowledged.standing.items() if path.startswith(owner.repository.path)}
        assert owner.repository.request("config").status == 200 and standing.pop("config")
        assert standing, "each of them has stored something"
        lost = {path for path, length in standing.items() if listed.get(tuple(path.split("/"))) != length}
        assert not lost, f"seed {SEED}: acknowledged and gone: {sorted(lost)}"
        owner.run("unlock", "--remove-all")
        owner.restic.check()
        server.ask("repo", "verify", "--device", owner.device, "--trash")
        owner.run("backup", worker.source)
        target = world.room / f"restored-{owner.device}"
        owner.run("restore", "latest", "--target", target)
        trees.assert_same(worker.source, trees.below(target, worker.source))
