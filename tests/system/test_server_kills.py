"""kill -9 of the server at random moments, while four restics store, forget and prune: every object that was
acknowledged is there, nothing partial is listed, and each repository checks clean.

XENTZ_TEST_SERVER_KILLS says how many (script/test --soak: 300); XENTZ_TEST_SEED repeats a run."""

import os
import random
import time

from harness import trees
from harness.load import Acknowledged, Worker
from harness.owner import Owner

KILLS = int(os.environ.get("XENTZ_TEST_SERVER_KILLS", "6"))
SEED = int(os.environ.get("XENTZ_TEST_SEED", "0")) or time.time_ns() % 1_000_000
LONGEST = 1.2  # seconds between two kills while the server serves


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
