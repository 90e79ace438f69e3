"""The repositories in a bucket of a real object store: everything that they can do on a disk, and what only a bucket can
do to them. Label `object-store`: left out by script/test where there is no store."""

import copy
import hashlib
import os
import pathlib
import random
import re
import threading
import time

import pytest
from harness import net, programs, trees
from harness.load import Acknowledged, Worker
from harness.owner import PASSWORD, Owner
from harness.server import Restic

KILLS = 6


@pytest.fixture
def server(world, bucket):
    return world.server(storage_address=bucket.address(), environment=bucket.environment)


def undelete(server, owner, place, *more):
    return server.ask("repo", "undelete", "--device", owner.device, "--before", str(place), *more)


def place_of(server, owner):
    return server.ask("repo", "show", "--device", owner.device)["place"]


def assert_restores(owner, snapshot, source, target):
    owner.run("restore", snapshot, "--target", target)
    trees.assert_same(source, trees.below(target, source))


def test_a_guarded_life(world, server, bucket, restic):
    """init, backup, forget, prune, check, restore; then everything is deleted, and comes back."""
    source = world.folder()
    owner = Owner(server, restic, world.room)
    owner.run("init")
    owner.run("backup", source)
    (source / "large").write_bytes(random.Random(1).randbytes(40 << 20))
    owner.run("backup", source)
    first, second = [s["id"] for s in owner.restic.snapshots()]
    place = place_of(server, owner)
    everything = owner.repository.assert_whole()

    owner.run("forget", "--keep-last", "1", "--prune", "--max-unused", "0")
    owner.restic.check()
    assert [s["id"] for s in owner.restic.snapshots()] == [second]
    assert ("snapshots", first) in owner.trash()
    for kind in ("data", "index", "snapshots", "keys"):
        for name in owner.repository.names(kind):
            assert owner.repository.request(f"{kind}/{name}", "DELETE").status == 200
    assert owner.repository.request("config", "DELETE").status == 200
    assert owner.repository.request("config").status == 404
    assert owner.repository.everything() == {}, "to the device it is gone"

    done = undelete(server, owner, place, "--exact", "--keys")
    assert not done["lost"] and owner.repository.assert_whole() == everything
    owner.restic.check()
    assert_restores(owner, second, source, world.room / "restored")
    server.ask("repo", "verify", "--device", owner.device, "--trash")

    assert not server.ask("repo", "orphans")
    server.ask("repo", "trash", "purge", "--device", owner.device, "--older-than", "0")
    assert not owner.trash() and not bucket.keys("trash/")


def test_the_agent(world, server, restic):
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    (source / "more").write_bytes(b"more")
    agent.run("backup").expect(0)
    agent.run("check").expect(0)
    agent.run("restore", "latest", "--target", world.room / "restored").expect(0)
    trees.assert_same(source, trees.below(world.room / "restored", source))
    assert server.stop() == 0
    for secret in server.environment["AWS_SECRET_ACCESS_KEY"], server.environment["AWS_ACCESS_KEY_ID"]:
        assert secret not in server.log


def test_restic_alone_reads_it(world, server, bucket, restic):
    source = world.folder()
    owner = Owner(server, restic, world.room)
    owner.run("init")
    owner.run("backup", source)
    folder = bucket.keys("repositories/")[0].split("/")[1]
    address = f"s3:http://127.0.0.1:{bucket.port}/{bucket.name}/{bucket.prefix}/repositories/{folder}"
    alone = Restic(restic, world.room, address, PASSWORD)
    alone.environment.update(bucket.environment, AWS_DEFAULT_REGION="us-east-1")
    assert [s["id"] for s in alone.snapshots()] == [s["id"] for s in owner.restic.snapshots()]
    alone.run("restore", "latest", "--no-lock", "--target", world.room / "restored").expect(0)
    trees.assert_same(source, trees.below(world.room / "restored", source))


def test_what_was_acknowledged_survives_every_kill(world, server, bucket, restic):
    """kill -9 of the server while restics store, forget and prune."""
    proxy = world.control_proxy(server, forgetful=True)
    proxy.hook = acknowledged = Acknowledged()
    workers = []
    for number in range(2):
        owner = Owner(server, restic, world.room, through=proxy.url)
        owner.run("init")
        workers.append(Worker(owner, world.folder(f"source{number}", seed=number), True, number))
    dice = random.Random(1)
    for worker in workers:
        worker.start()
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.3, 1.5))
        server.kill()
        server.restart()
    for worker in workers:
        worker.over.set()
    for worker in workers:
        worker.join(1200)
        assert not worker.is_alive(), "a restic that never ends"
    assert acknowledged.stored > KILLS and all(w.good for w in workers)
    server.kill()
    server.restart()
    for worker in workers:
        owner = worker.owner
        listed = owner.repository.assert_whole()
        standing = {path.removeprefix(owner.repository.path): length for path, length in
                    acknowledged.standing.items() if path.startswith(owner.repository.path)}
        assert standing.pop("config")
        lost = {path for path, length in standing.items() if listed.get(tuple(path.split("/"))) != length}
        assert standing and not lost, f"acknowledged and gone: {sorted(lost)}"
        owner.run("unlock", "--remove-all")
        owner.restic.check()
        server.ask("repo", "verify", "--device", owner.device, "--trash")
        owner.run("backup", worker.source)
        assert_restores(owner, "latest", worker.source, world.room / f"restored-{owner.device}")


def test_a_kill_in_the_middle_of_an_upload_leaves_nothing(world, bucket, restic):
    """The server is killed while it hands the object on to the store; the bytes that waited on its disk go with it."""
    slow = world.tcp_proxy(bucket.port, rate=4 << 20)
    server = world.server(storage_address=bucket.address(port=slow.port), environment=bucket.environment)
    owner = Owner(server, restic, world.room)
    owner.run("init")
    body = random.Random(2).randbytes(24 << 20)
    name = hashlib.sha256(body).hexdigest()
    before = bucket.keys()

    def send():
        try:
            owner.repository.request(f"data/{name}", "POST", body, limit=60)
        except OSError:
            pass  # the server is gone

    sent = slow.bytes_up
    sender = threading.Thread(target=send)
    sender.start()
    programs.wait_until(lambda: slow.bytes_up > sent + (2 << 20), "the object on its way to the store")
    server.kill()
    sender.join(60)
    slow.cut()
    assert bucket.keys() == before
    assert not [f for f in server.data_dir.iterdir() if f.stat().st_size > 20 << 20 or f.name.startswith("spool")]
    slow.rate = None
    server.restart()
    assert owner.repository.request(f"data/{name}").status == 404
    assert owner.repository.request(f"data/{name}", "POST", body).status == 200
    assert owner.repository.assert_whole()["data", name] == len(body)


def test_a_store_that_is_away_is_not_empty(world, bucket, restic):
    proxy = world.tcp_proxy(bucket.port)
    server = world.server(storage_address=bucket.address(port=proxy.port), environment=bucket.environment)
    owner = Owner(server, restic, world.room)
    owner.run("init")
    owner.run("backup", world.folder())
    there = owner.repository.everything()

    target, proxy.target_port = proxy.target_port, net.free_port()
    proxy.cut()
    for rest in ("config", "data/", "snapshots/", f"data/{'0' * 64}"):
        answer = owner.repository.request(rest, limit=60)
        assert answer.status == 503 and answer.problem["type"] == "storage-unavailable", f"{rest}: {answer}"
    assert net.request(server.url + "/readyz", limit=60).status == 503
    assert net.request(server.url + "/healthz").status == 200
    proxy.target_port = target
    assert net.request(server.url + "/readyz").status == 200, "no restart is needed"
    assert owner.repository.everything() == there


def test_another_bucket_is_not_served(world, server, bucket, restic):
    owner = Owner(server, restic, world.room)
    owner.run("init")
    identity = bucket.request("GET", "storage.json")
    bucket.request("PUT", "storage.json", body=re.sub(b'"storage_[^"]*"', b'"storage_of_another"', identity))
    time.sleep(1.1)  # so long a server goes by what it knows of a bucket
    assert net.request(server.url + "/readyz").status == 503
    assert owner.repository.request(f"data/{'0' * 64}").status == 503
    bucket.request("PUT", "storage.json", body=identity)
    assert owner.repository.request("config").status == 200


def test_a_bucket_of_another_installation_is_refused(world, server, bucket):
    with pytest.raises(AssertionError) as refused:
        world.server(serve=False, tenant=None, storage_address=bucket.address(), environment=bucket.environment)
    assert "belongs to another installation" in str(refused.value)


def test_wrong_keys_are_told_and_nothing_is_served(world, server, bucket, restic):
    owner = Owner(server, restic, world.room)
    owner.run("init")
    assert server.stop() == 0
    server.environment["AWS_SECRET_ACCESS_KEY"] = "wrong"
    server.start()
    assert owner.repository.request("config").status == 503
    assert "the secret key does not fit" in server.log and "wrong" not in server.log
    keys = world.room / "keys"
    keys.write_text(f"[default]\naws_access_key_id={bucket.access_key}\naws_secret_access_key={bucket.secret_key}\n")
    assert server.stop() == 0
    server.storage_address += f"&credentials={keys}"
    server.start()
    assert owner.repository.request("config").status == 200, "a file wins over the environment"


def test_the_size_of_an_object_costs_no_memory(world, server, restic):
    owner = Owner(server, restic, world.room)
    owner.run("init")

    def peak():
        status = (pathlib.Path("/proc") / str(server.process.pid) / "status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10

    body = random.Random(3).randbytes(8 << 20)
    assert owner.repository.request(f"data/{hashlib.sha256(body).hexdigest()}", "POST", body).status == 200
    before = peak()
    body = random.Random(4).randbytes(200 << 20)
    name = hashlib.sha256(body).hexdigest()
    assert owner.repository.request(f"data/{name}", "POST", body, limit=120).status == 200
    assert owner.repository.request(f"data/{name}", limit=120).body == body
    # A sanitizer keeps what was freed; under it the way of the object alone is the test.
    if "ASAN_OPTIONS" not in os.environ:
        assert peak() - before < 24 << 20, f"{(peak() - before) >> 20} MiB more"


def test_two_servers_serve_one_bucket(world, server, bucket, restic):
    """One database, one bucket: what goes in at one comes out at the other, also when one of them is killed."""
    other = copy.copy(server)
    other.port, other.log = net.free_port(), ""
    world.servers.append(other.start())
    contested = Owner(server, restic, world.room).repository
    statuses = [None, None]

    def make(number, url):
        contested_there = f"{url}{contested.path}config"
        statuses[number] = net.request(contested_there, "POST", b"config %d" % number, contested.headers).status

    assert contested.request("?create=true", "POST").status == 200
    makers = [threading.Thread(target=make, args=made) for made in enumerate((server.url, other.url))]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(60)
    assert sorted(statuses) == [200, 403]
    assert contested.request("config").body == b"config %d" % statuses.index(200)

    source = world.folder()
    owner = Owner(server, restic, world.room)
    elsewhere = copy.copy(owner)
    address = owner.repository.address.replace(owner.repository.host, other.url.removeprefix("http://"))
    elsewhere.restic = Restic(restic, world.room, address, PASSWORD)
    elsewhere.run("init")
    owner.run("backup", source)
    (source / "more").write_bytes(b"more")
    backups = [one.restic.begin("backup", source) for one in (owner, elsewhere)]
    assert [backup.wait(60) for backup in backups] == [0, 0]
    server.kill()
    elsewhere.run("forget", "--keep-last", "1", "--prune")
    server.restart()
    assert owner.restic.snapshots() == elsewhere.restic.snapshots()
    owner.restic.check()
    assert_restores(elsewhere, "latest", source, world.room / "restored")
    server.ask("repo", "verify", "--device", owner.device, "--trash")
