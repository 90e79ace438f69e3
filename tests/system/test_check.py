"""`check` proves that a restore works: damage in the repository and files that come back altered are found within the
runs that the policy names, and a healthy repository is never blamed for what changed since on the machine."""

import os
import pathlib
import shutil

from harness import programs, trees

PARTS = 3


def checked_world(world, restic, *, files=60, bulk=24, drill_files=1000):
    server = world.server(policy={"check": {"parts": PARTS, "drill_files": drill_files, "drill_mib": 64}})
    source = world.folder(files=files)
    trees.make_bulk(source / "bulk", bulk)
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    return server, source, agent


def runs_until_found(agent, code):
    """How many checks it takes until one ends with 9; the report of that run has the fault `code`."""
    for run in range(1, PARTS + 1):
        outcome = agent.run("check").expect(0, 9)
        if outcome.code == 9:
            assert agent.state("check")["fault"]["code"] == code
            return run
    raise AssertionError(f"not found within {PARTS} checks")


def test_a_healthy_repository_is_proved(world, restic):
    server, source, agent = checked_world(world, restic)
    for run in range(1, PARTS + 2):
        told = agent.run("check").expect(0)
        assert "without a flaw" in told.out, told.text
        state = agent.state("check")
        assert state["metrics"]["data_part"] == (run - 1) % PARTS + 1
        assert state["metrics"]["files_differing"] == 0
        assert state["metrics"]["files_compared"] == state["metrics"]["files_restored"] > 50
    read = sum(r["metrics"]["bytes_read"] for r in server.reports(device=agent.device_id, job="check")[:PARTS])
    assert read == sum(p.stat().st_size for p in server.objects("data")), "every pack, once"
    proved = server.ask("device", "show", agent.device_id)["last_proved_at"]
    assert proved == agent.state("check")["finished_at"]
    assert "by a check without a flaw" in server.admin("device", "show", agent.device_id).expect(0).out
    assert f"Proved      {proved}" in agent.run("status").expect(0).out
    assert not (agent.home / "drill").exists()


def test_what_changed_since_is_no_flaw(world, restic):
    server, source, agent = checked_world(world, restic)
    files = sorted(p for p in source.rglob("*") if p.is_file() and not p.is_symlink())
    for index, path in enumerate(files):
        before = path.stat()
        match index % 6:
            case 0:
                path.write_bytes(path.read_bytes() + b"more")
            case 1:  # as long, and with its old times
                path.write_bytes(bytes(len(path.read_bytes())))
                os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            case 2:
                path.unlink()
            case 3:
                shutil.copy2(path, path.with_name("copy"))
                os.replace(path.with_name("copy"), path)
            case 4:
                path.unlink()
                path.mkdir()
    for _ in range(PARTS):
        agent.run("check").expect(0)
        assert agent.state("check")["metrics"]["files_differing"] == 0
    assert 0 < agent.state("check")["metrics"]["files_compared"] < agent.state("check")["metrics"]["files_restored"]


def test_a_flipped_bit_in_a_pack_is_found(world, restic):
    server, source, agent = checked_world(world, restic, drill_files=0)
    agent.run("check").expect(0)
    trees.flip(max(server.objects("data"), key=lambda p: p.stat().st_size))
    assert runs_until_found(agent, "repository-damaged") <= PARTS
    part = agent.state("check")["metrics"]["data_part"]
    again = agent.run("check").expect(9)
    assert agent.state("check")["metrics"]["data_part"] == part, "the same part, until it is without a flaw"
    assert "damaged" in again.err
    report = server.reports(device=agent.device_id, job="check")[0]
    assert report["status"] == "failure" and report["fault"]["code"] == "repository-damaged"
    agent.run("backup").expect(0)
    assert "found a flaw" in agent.run("status").expect(0).out


def test_a_flipped_bit_in_an_index_or_a_snapshot_is_found_at_once(world, restic):
    server, source, agent = checked_world(world, restic)
    for kind in ("index", "snapshots"):
        victim = server.objects(kind)[0]
        whole = victim.read_bytes()
        trees.flip(victim)
        assert runs_until_found(agent, "repository-damaged") == 1, kind
        victim.write_bytes(whole)
        agent.run("check").expect(0)


def test_a_file_that_a_restore_brings_back_altered_is_found(world, restic):
    server, source, agent = checked_world(world, restic)
    victim = next(p for p in sorted(source.rglob("*")) if p.is_file() and not p.is_symlink() and p.stat().st_size > 100)
    silent = world.room / "silent-restic"
    silent.write_text(f"""#!/usr/bin/python3
import pathlib, subprocess, sys
code = subprocess.run([{restic!r}] + sys.argv[1:]).returncode
if "restore" in sys.argv:
    path = pathlib.Path({str(agent.home / "drill")!r} + {str(victim)!r})
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[50] ^= 1
    path.write_bytes(data)
sys.exit(code)
""")
    silent.chmod(0o755)
    found = agent.run("check", environment={"XENTZ_RESTIC": str(silent)}).expect(9)
    assert str(victim) in found.err and "its bytes are not those of the file" in found.err
    report = server.reports(device=agent.device_id, job="check")[0]
    assert report["fault"]["code"] == "restore-differs" and report["metrics"]["files_differing"] == 1
    assert not (agent.home / "drill").exists(), "what was restored is not left behind"
    agent.run("check").expect(0)


def test_a_user_who_is_not_root_can_remove_what_a_drill_restored(world, server, restic):
    """Folders come back with the rights of the source, also those that their owner may not write to."""
    user = 65534 if os.geteuid() == 0 else None
    world.room.chmod(0o755)
    source = world.room / "theirs"
    (source / "closed").mkdir(parents=True)
    (source / "closed" / "file").write_text("one")
    (source / "closed").chmod(0o555)
    tools = {name: shutil.copy(path, world.room / name)
             for name, path in (("xentz-agent", programs.program("xentz-agent")), ("restic", restic))}
    if user:
        for path in [source, *source.rglob("*")]:
            os.chown(path, user, user)
    agent = world.agent(str(tools["restic"]), user=user, binary=tools["xentz-agent"])
    agent.install(server.url, server.token("acme"), source)
    agent.run("backup").expect(0)
    told = agent.run("check").expect(0)
    assert "could not be removed" not in told.text
    assert agent.state("check")["metrics"]["files_compared"] == 1
    assert not pathlib.Path(agent.home / "drill").exists()


def test_a_kill_in_the_middle_leaves_nothing_that_the_next_run_minds(world, restic):
    server, source, agent = checked_world(world, restic)
    process = agent.begin("check")
    programs.wait_until(lambda: agent.marker, "the check to begin")
    agent.kill(process)
    agent.run("check").expect(0)
    reports = server.reports(device=agent.device_id, job="check")
    assert [r["outcome"] if "outcome" in r else r["status"] for r in reports] == ["success", "interrupted"]


def test_a_timer_whose_time_has_not_come_does_nothing(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    agent.run("check", "--scheduled").expect(0)
    assert not (agent.home / "state" / "check.json").exists()
