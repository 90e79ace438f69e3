"""Dumps: the output of a command is a snapshot of its own, and only a command that ended well makes one. Shown with
PostgreSQL and SQLite."""

import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from harness import programs

TESTS = pathlib.Path(__file__).parent.parent


def define(agent, *commands):
    path = agent.home / "commands.json"
    path.write_text(json.dumps({"format": 1, "commands": list(commands)}))
    path.chmod(0o600)


def dumping_world(world, restic, *commands, policy=None):
    server = world.server(policy={"dumps": [c["name"] for c in commands], **(policy or {})})
    agent = world.enrolled(server, restic, world.folder())
    define(agent, *commands)
    return server, agent


def shell(name, script, **more):
    return {"name": name, "run": ["/bin/sh", "-c", script], **more}


def newest(server, agent):
    return server.reports(device=agent.device_id, job="backup")[0]


def dumps(agent):
    return [s for s in agent.ask("snapshots") if "xentz-dump" in s["tags"]]


@pytest.fixture
def postgresql(room):
    script = TESTS / "support" / "postgresql"
    folder = room / "postgresql"
    os.chmod(room, 0o755)
    address = subprocess.run([script, "start", folder, str(os.getpid())], check=True, capture_output=True, text=True)
    yield address.stdout.strip()
    subprocess.run([script, "stop", folder], check=True, capture_output=True)


def psql(address, statement):
    return subprocess.run(["psql", "-qAt", address, "-c", statement], check=True, capture_output=True, text=True).stdout


def test_postgresql(world, restic, postgresql):
    psql(postgresql, "create table orders (id int primary key, what text); "
                     "insert into orders select n, md5(n::text) from generate_series(1, 20000) n")
    expected = psql(postgresql, "select md5(string_agg(id || what, ',' order by id)) from orders")
    pg_dump = shutil.which("pg_dump")
    server, agent = dumping_world(
        world, restic, {"name": "orders", "run": [pg_dump, "--format=custom", postgresql], "file_name": "orders.dump"})
    agent.run("backup").expect(0)
    told = newest(server, agent)["details"]["commands"][0]
    assert (told["name"], told["when"], told["status"]) == ("orders", "dump", "success")
    assert told["bytes"] > 100_000 and len(told["snapshot_id"]) == 64
    target = world.room / "back"
    agent.run("restore", "latest", "--dump", "orders", "--target", target).expect(0)
    psql(postgresql, "drop table orders")
    subprocess.run(["pg_restore", "--dbname", postgresql, target / "orders.dump"], check=True, capture_output=True)
    assert psql(postgresql, "select md5(string_agg(id || what, ',' order by id)) from orders") == expected
    # "latest" still means the files.
    files = world.room / "files"
    agent.run("restore", "--target", files).expect(0)
    assert not list(files.rglob("orders.dump"))


def test_sqlite(world, restic):
    database = world.room / "shop.db"
    with sqlite3.connect(database) as db:
        db.execute("create table orders (id integer primary key, what text)")
        db.executemany("insert into orders values (?, ?)", [(n, hashlib.md5(str(n).encode()).hexdigest()) for n in range(5000)])
    server, agent = dumping_world(
        world, restic, {"name": "shop", "run": [shutil.which("sqlite3"), "-readonly", str(database), ".dump"],
                        "file_name": "shop.sql"})
    # In the middle of somebody's transaction, a copy of the file might be torn; the dump is not.
    with sqlite3.connect(database) as writer:
        writer.execute("insert into orders values (90000, 'not yet')")
        agent.run("backup").expect(0)
        writer.rollback()
    target = world.room / "back"
    agent.run("restore", "--dump", "shop", "--target", target).expect(0)
    with sqlite3.connect(":memory:") as db:
        db.executescript((target / "shop.sql").read_text())
        assert db.execute("select count(*), max(id) from orders").fetchone() == (5000, 4999)


def test_a_dump_that_dies_half_way_is_no_snapshot(world, restic):
    server, agent = dumping_world(
        world, restic,
        shell("orders", "head -c 20000000 /dev/urandom; echo connection lost >&2; exit 1"),
        shell("killed", "head -c 3000000 /dev/urandom; kill -9 $$"),
        shell("stock", "echo stock"))
    told = agent.run("backup").expect(3)
    assert "the dump orders failed: it ended with exit code 1: connection lost" in told.err
    assert "the dump killed failed: it was killed by signal 9" in told.err
    report = newest(server, agent)
    assert (report["status"], report["fault"]["code"]) == ("partial", "dump-failed")
    assert [c["status"] for c in report["details"]["commands"]] == ["failure", "failure", "success"]
    assert [s["paths"] for s in dumps(agent)] == [["/stock"]], "half a dump was counted as good"
    agent.plain_restic().check()
    assert list_locks(agent) == [], "a restic that was ended left its lock"
    agent.run("retention").expect(0)


def list_locks(agent):
    return [line for line in agent.plain_restic().run("list", "locks", "--no-lock").out.split() if len(line) == 64]


def test_a_hanging_dump_has_its_time(world, restic):
    server, agent = dumping_world(world, restic, shell("slow", "echo a; sleep 1000", time_limit_seconds=1))
    began = time.monotonic()
    told = agent.run("backup").expect(3)
    assert time.monotonic() - began < 60
    assert "the dump slow failed: it was ended after 1.0 s, its time limit" in told.err
    assert dumps(agent) == []


def test_a_dump_that_prints_nothing_is_said(world, restic):
    server, agent = dumping_world(world, restic, shell("empty", "true"))
    for _ in range(2):
        told = agent.run("backup").expect(3)
        assert "the dump empty failed: it printed nothing" in told.err
    assert dumps(agent) == [], "an empty snapshot would be its latest"


def test_a_process_left_behind_cannot_hold_the_run_up(world, restic):
    server, agent = dumping_world(
        world, restic, shell("leaves", "echo a; setsid sh -c 'exec 2>/dev/null; sleep 40' & sleep 0.2"))
    began = time.monotonic()
    told = agent.run("backup").expect(3)
    assert time.monotonic() - began < 30, "the run waited for a process that the dump had left behind"
    assert "a process that it left behind keeps its output open" in told.err
    assert dumps(agent) == []


def test_what_the_command_started_may_end_its_output_later(world, restic):
    """As in `pg_dump > >(gzip)`: the shell is gone, and a process of its group still writes."""
    server, agent = dumping_world(
        world, restic,
        {"name": "late", "run": ["/bin/bash", "-c", "head -c 3000000 /dev/urandom > >(sleep 0.5; cat; echo whole)"]},
        {"name": "never", "run": ["/bin/bash", "-c", "echo a; (sleep 300; echo b) &"]})
    told = agent.run("backup").expect(3)
    assert "the dump never failed: a process that it left behind keeps its output open" in told.err
    assert "the dump late" not in told.err
    assert [s["paths"] for s in dumps(agent)] == [["/late"]]
    agent.run("restore", "latest", "--dump", "late", "--target", world.room / "back").expect(0)
    whole = (world.room / "back" / "late").read_bytes()
    assert len(whole) == 3000006 and whole.endswith(b"whole\n")


def test_killed_at_any_time_no_half_dump_is_a_snapshot(world, restic):
    """The agent alone is killed: its restic and its dump are left to their fate, and must not make a snapshot of it."""
    server, agent = dumping_world(
        world, restic, shell("orders", "for i in 1 2 3 4 5 6 7 8; do head -c 2000000 /dev/urandom; sleep 0.1; done; echo whole"))
    agent.run("backup").expect(0)
    whole = len(dumps(agent))
    assert whole == 1
    chance = random.Random(11)
    for _ in range(int(os.environ.get("XENTZ_TEST_DUMP_KILLS", "8"))):
        process = agent.begin("backup")
        time.sleep(chance.uniform(0.1, 2.2))
        agent.kill(process)
    programs.wait_until(lambda: not agent_processes(agent), "the processes of killed runs to end")
    agent.run("backup").expect(0)
    for snapshot in dumps(agent):
        target = world.room / snapshot["short_id"]
        agent.run("restore", snapshot["id"], "--target", target).expect(0)
        assert (target / "orders").read_bytes().endswith(b"whole\n"), f"half a dump: {snapshot}"
    agent.plain_restic().check()


def agent_processes(agent):
    home = str(agent.home).encode()
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if home in (entry / "environ").read_bytes() and b"restic" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_retention_keeps_each_by_itself(world, restic):
    server, agent = dumping_world(
        world, restic, shell("a", "date +%N"), shell("b", "date +%N"), policy={"retention": {"keep_last": 2, "prune": True}})
    for _ in range(4):
        agent.run("backup").expect(0)
    assert len(agent.ask("snapshots")) == 12
    preview = agent.ask("retention", "--dry-run")
    assert (preview["kept"], preview["removed"]) == (6, 6)
    agent.run("retention").expect(0)
    kept = agent.ask("snapshots")
    assert sorted(tuple(s["paths"]) for s in kept if "xentz-dump" in s["tags"]) == [("/a",), ("/a",), ("/b",), ("/b",)]
    assert len(kept) == 6


def test_an_interrupted_dump(world, restic):
    mark = world.room / "began"
    server, agent = dumping_world(world, restic, shell("slow", f"echo a; touch {mark}; sleep 1000"))
    process = agent.begin("backup")
    programs.wait_until(mark.exists, "the dump to begin")
    process.send_signal(signal.SIGTERM)
    agent.finish(process).expect(130)
    assert dumps(agent) == []
    assert newest(server, agent)["outcome"] == "interrupted"
    assert list_locks(agent) == []
