"""Quotas and the sweep, with the real server: exact under parallel uploads, 507 at once, and an old trash that goes."""

import contextlib
import hashlib
import sqlite3
import threading

import pytest
from harness import net, programs

DAY = 86_400_000_000


def name_of(body):
    return hashlib.sha256(body).hexdigest()


def put(fleet, body, kind="data"):
    return fleet.repository.request(f"{kind}/{name_of(body)}", "POST", body)


def row(fleet):
    return fleet.server.ask("repo", "show", "--device", fleet.device)


def test_exact_to_the_byte_under_eight_uploads_at_once(fleet):
    used = row(fleet)["bytes"]
    fleet.server.admin("tenant", "set", "acme", f"quota={used + 5_000_000}").expect(0)
    bodies = [bytes([number]) * 1_000_000 for number in range(8)]
    answers = {}
    together = threading.Barrier(8)

    def upload(number):
        together.wait()
        answers[number] = put(fleet, bodies[number])

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(a.status for a in answers.values())
    assert statuses == [200] * 5 + [507] * 3
    assert all(a.problem["type"] == "quota-exceeded" for a in answers.values() if a.status == 507)
    assert row(fleet)["bytes"] == used + 5_000_000
    assert row(fleet)["level"] == "full"
    stored = {name for name, size in fleet.repository.names("data").items() if size == 1_000_000}
    assert stored == {name_of(bodies[n]) for n, a in answers.items() if a.status == 200}, "nothing partial is kept"
    assert not [p for p in (fleet.server.storage / "incoming").rglob("*") if p.is_file()]

    assert put(fleet, b"x").status == 507
    assert put(fleet, bodies[next(n for n, a in answers.items() if a.status == 200)]).status == 200, "it is there"
    fleet.server.admin("tenant", "set", "acme", f"quota={used + 5_000_001}").expect(0)
    assert put(fleet, b"x").status == 200, "what fits is taken"


def test_a_refusal_comes_before_the_body(fleet):
    fleet.server.admin("tenant", "set", "acme", "repository-quota=1MiB").expect(0)
    url = fleet.repository.url + "data/" + "a" * 64
    answer, sent = net.oversized(url, 500_000_000, fleet.repository.headers)
    assert answer.status == 507 and sent < 50_000_000
    fleet.assert_goes_on()


def test_uploading_and_deleting_in_a_loop_is_stopped_and_names_the_trash(fleet):
    fleet.server.admin("tenant", "set", "acme", "repository-quota=1MB").expect(0)
    for number in range(30):
        body = bytes([number]) * 100_000
        answer = put(fleet, body)
        if answer.status != 200:
            break
        assert fleet.repository.request(f"data/{name_of(body)}", "DELETE").status == 200
    assert answer.status == 507 and "trash" in answer.problem["title"], answer
    assert 1_800_000 <= row(fleet)["trash_bytes"] <= 2_000_000
    fleet.server.ask("repo", "trash", "purge", "--device", fleet.device, "--older-than", "0")
    assert put(fleet, body).status == 200


def test_a_floor_of_free_space(world):
    server = world.server(options=["--min-free", "80000TiB"])
    from harness.fleet import install
    from harness.server import Repository

    enrolled = install(server, server.token("acme"))
    repository = Repository(enrolled.data["repo_path"])
    assert repository.request("?create=true", "POST").status == 200
    answer = repository.request(f"data/{name_of(b'x')}", "POST", b"x")
    assert answer.status == 507 and answer.problem["type"] == "storage-full"
    assert not [p for p in (server.storage / "incoming").rglob("*") if p.is_file()]


def test_a_backup_into_a_full_quota_is_told_so_and_can_be_pruned(world, server, restic):
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    used = server.ask("repo", "show", "--device", agent.device_id)["bytes"]
    server.admin("tenant", "set", "acme", f"repository-quota={used}", "trash-factor=3").expect(0)
    (source / "more").write_bytes(bytes(range(256)) * 100)
    plain = agent.plain_restic()
    plain.run("forget", "--keep-last", "1", "--prune").expect(0)
    server.admin("tenant", "set", "acme", "repository-quota=default").expect(0)
    agent.run("backup").expect(0)
    plain.check()


@contextlib.contextmanager
def database(server):
    connection = sqlite3.connect(server.data_dir / "xentz.db")
    try:
        yield connection
        connection.commit()
    finally:
        connection.close()


def age(server, days):
    """As if the server had run for so many days since the last deletion."""
    with database(server) as rows:
        rows.execute("update object_life set left_at = left_at - ?, left_trusted = left_trusted - ? "
                     "where left_at is not null", (days * DAY, days * DAY))
        rows.execute("update sweep_clock set swept_at = swept_at - ?", (2 * 3_600_000_000,))


def buried(server):
    trash = server.storage / "trash"
    return [p for p in trash.rglob("*") if p.is_file()] if trash.exists() else []


@pytest.mark.parametrize("days", [29, 31])
def test_the_sweep_removes_what_is_old_enough(fleet, days):
    assert fleet.repository.request(f"data/{fleet.name}", "DELETE").status == 200
    assert len(buried(fleet.server)) == 1
    programs.wait_until(lambda: _swept(fleet.server), "the first sweep, which starts the clock")
    fleet.server.stop()
    age(fleet.server, days)
    fleet.server.start()
    if days > 30:
        programs.wait_until(lambda: not buried(fleet.server), "the sweep to remove what is old enough")
        programs.wait_until(lambda: row(fleet)["trash_bytes"] == 0, "the journal to say so")
    else:
        programs.wait_until(lambda: _swept(fleet.server), "the sweep")
        assert len(buried(fleet.server)) == 1


def _swept(server):
    with database(server) as rows:
        return rows.execute("select count(*) from sweep_clock where swept_at > "
                            "(cast(strftime('%s', 'now') as integer) - 600) * 1000000").fetchone()[0] == 1


def test_what_a_crash_left_between_rows_and_files_is_settled(fleet):
    """Each of the states that a kill can leave, made by hand while the server is down."""
    repository = next((fleet.server.storage / "repositories").iterdir())
    deleted = b"deleted, but its file was not moved yet"
    unknown = b"durable, but not in the journal yet"
    assert put(fleet, deleted).status == 200
    assert fleet.repository.request(f"data/{name_of(deleted)}", "DELETE").status == 200
    fleet.server.stop()
    entry = next(p for p in buried(fleet.server) if p.name.endswith(name_of(deleted)))
    entry.rename(repository / "data" / name_of(deleted)[:2] / name_of(deleted))
    (repository / "data" / name_of(unknown)[:2] / name_of(unknown)).write_bytes(unknown)
    (repository / "data" / fleet.name[:2] / fleet.name).unlink()
    fleet.server.start()
    programs.wait_until(lambda: "differed from its journal" in fleet.server.log, "the comparison")
    assert set(fleet.repository.names("data")) == {name_of(unknown)}
    assert [p.name for p in buried(fleet.server)] == [entry.name]
    shown = row(fleet)
    assert (shown["bytes"], shown["trash_bytes"]) == (len(b"config") + len(unknown), len(deleted))
    assert f"data/{fleet.name} is missing from the storage" in fleet.server.log
