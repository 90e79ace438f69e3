"""The scrub of a serving process: reads everything again at its rate, finds a flipped byte in each type of object, goes
on after a kill where it was, and leaves everything as it is."""

import os
import sqlite3
import time

from harness import net, programs, trees


def known(server):
    return server.admin("repo", "scrub", "--json").expect(0, 1).data


def begin_round(server):
    """As if the last round had begun long ago."""
    with sqlite3.connect(server.data_dir / "xentz.db") as db:
        db.execute("update scrub set began_at = 0")


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for_round(server, number):
    return programs.wait_until(lambda: (lambda s: s["round"] == number and "ended_at" in s and s)(known(server)),
                               f"round {number} to end", limit=120, pause=0.2)


def test_a_flipped_byte_in_each_type_is_found_and_left_alone(world, restic):
    server = world.server()
    source = world.folder()
    trees.make_bulk(source / "bulk", 8)
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    (source / "more").write_text("more")
    agent.run("backup").expect(0)
    agent.plain_restic().run("forget", "--keep-last", "1", "--prune").expect(0)
    server.stop()
    trash = [p for p in server.storage.rglob("*") if p.is_file() and "trash" in p.parts]
    config = next(p for p in server.storage.rglob("config") if p.is_file())
    flipped = {kind: server.objects(kind)[0] for kind in ("keys", "snapshots", "index", "data")}
    assert trash, "nothing in the trash"
    for path in (config, *flipped.values(), trash[0]):
        trees.flip(path)
    before = {p: p.read_bytes() for p in server.storage.rglob("*") if p.is_file() and p.name != "lock"}
    begin_round(server)
    server.start("--scrub-rate", "1GiB")
    wait_for_round(server, 2)
    told = server.admin("repo", "scrub").expect(1)
    damaged = known(server)["damaged"]
    assert sorted(d["type"] for d in damaged if not d["in_trash"]) == ["config", "data", "index", "keys", "snapshots"]
    assert {d["name"] for d in damaged if not d["in_trash"]} == {"", *(p.name for p in flipped.values())}
    assert len([d for d in damaged if d["in_trash"]]) == 1
    assert all(d["device_id"] == agent.device_id for d in damaged)
    assert "its bytes have changed" in told.out and "6 objects are damaged" in told.err
    assert "the scrub found 6 damaged objects" in server.admin("device", "show", agent.device_id).expect(0).out
    metrics = net.request(server.url + "/metrics").body.decode()
    assert [line.split()[-1] for line in metrics.splitlines() if line.startswith("xentz_repository_damaged_objects{")] == ["6"]
    assert "the scrub found damage in the repository" in server.log
    assert {p: p.read_bytes() for p in before} == before, "the scrub changed something"
    # Mended, it is forgotten.
    server.stop()
    for path in (config, *flipped.values(), trash[0]):
        trees.flip(path)
    begin_round(server)
    server.start("--scrub-rate", "1GiB")
    wait_for_round(server, 3)
    assert known(server)["damaged"] == []
    server.admin("repo", "scrub").expect(0)


def test_killed_in_the_middle_it_goes_on(world, restic):
    server = world.server()
    source = world.folder()
    trees.make_bulk(source / "bulk", 40)
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    server.stop()
    objects = sum(len(server.objects(kind)) for kind in ("keys", "snapshots", "index", "data")) + 1
    packs = server.objects("data")
    trees.flip(packs[0])
    trees.flip(packs[-1])
    begin_round(server)
    server.start("--scrub-rate", "3MiB")
    programs.wait_until(lambda: known(server)["objects"] >= 2, "the scrub to have read something", limit=60)
    server.kill()
    at = known(server)
    assert at["round"] == 2 and "ended_at" not in at and 0 < at["objects"] < objects
    server.start("--scrub-rate", "1GiB")
    done = wait_for_round(server, 2)
    assert done["objects"] == objects, "each was read once"
    assert {d["name"] for d in done["damaged"]} == {packs[0].name, packs[-1].name}


def test_it_keeps_to_its_rate_beside_a_backup(world, restic):
    rate = 2 << 20
    server = world.server(policy={"restic": {"pack_size_mib": 4}})
    source = world.folder()
    trees.make_bulk(source / "bulk", 64)
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    server.stop()
    begin_round(server)
    server.start("--scrub-rate", "2MiB")
    began, cpu = time.monotonic(), cpu_seconds(server.process)
    time.sleep(6)
    quiet_share = (cpu_seconds(server.process) - cpu) / (time.monotonic() - began)
    assert quiet_share < 0.1, f"the scrub alone took {quiet_share:.0%} of a processor"
    trees.make_bulk(source / "new", 64, seed=7)
    agent.run("backup").expect(0)
    time.sleep(3)
    read, took = known(server)["bytes"], time.monotonic() - began
    assert 0 < read <= rate * (took + 1) + (16 << 20), f"{read} bytes in {took:.1f} s"
    agent.plain_restic().check()


def test_switched_off_it_reads_nothing(world, restic):
    server = world.server(serve=False)
    server.start("--scrub-rate", "0")
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    assert "round" not in known(server)
    assert "--scrub-rate" in server.admin("repo", "scrub").expect(0).out
