"""A control plane moves from SQLite to PostgreSQL and back: `xentz-server export` and `import`."""

import datetime
import hashlib
import hmac
import json
import re
import shutil
import signal
import sqlite3
import threading
import time

import pytest
from harness import fleet, net, postgresql, programs, trees
from harness.fleet import Fleet
from harness.server import Repository
from test_server_disaster import passphrase, the_reports_of  # noqa: F401 (the first is a fixture)

# What belongs to one database, or one moment, alone.
NOT_MOVED = {"schema_migrations", "moved_away", "upload_reservation"}


class Rows:
    """The rows of a database, read without the program."""

    def __init__(self, server):
        self.url = server.database
        self.file = server.data_dir / "xentz.db"

    def ask(self, query):
        """The first value of the first row, as text."""
        if self.url:
            return postgresql.rows(self.url, query)[0][0]
        with sqlite3.connect(self.file) as db:
            found = db.execute(query).fetchone()
        return "" if found is None or found[0] is None else str(found[0])

    def tables(self):
        if self.url:
            found = postgresql.rows(self.url, "select table_name from information_schema.tables "
                                              "where table_schema = 'public'")
            names = [row[0] for row in found]
        else:
            with sqlite3.connect(self.file) as db:
                names = [r[0] for r in db.execute("select name from sqlite_schema where type = 'table'")]
        return sorted(n for n in names if n not in NOT_MOVED and not n.startswith("sqlite_"))

    def of(self, table):
        if self.url:
            answer = postgresql.rows(self.url, f"select coalesce(json_agg(t), '[]') from {table} t")
            rows = json.loads("\n".join("\t".join(line) for line in answer))
        else:
            with sqlite3.connect(self.file) as db:
                db.row_factory = sqlite3.Row
                rows = [dict(r) for r in db.execute(f"select * from {table}")]
        return sorted(json.dumps(r, sort_keys=True, ensure_ascii=False) for r in rows)

    def all(self):
        return {table: self.of(table) for table in self.tables()}


class Move:
    """The way of one server from one database into another one, with everything else where it was."""

    def __init__(self, server, passphrase):
        self.server = server
        self.passphrase = passphrase
        self.folder = server.room / "export"

    def out(self):
        return self.server.ask("export", self.folder, "--passphrase-file", self.passphrase)

    def begin_out(self):
        return self._begin("export", self.folder, "--passphrase-file", self.passphrase)

    def into(self, database, *more):
        """From now on the server is the one of that database; None is SQLite in the data folder."""
        self.server.database = database
        return self.server.ask("import", self.folder, *more)

    def begin_into(self, database):
        self.server.database = database
        return self._begin("import", self.folder)

    def put_aside(self):
        for path in list(self.server.data_dir.glob("xentz.db*")):
            path.rename(self.server.room / f"{path.name}-{time.monotonic_ns()}")

    def _begin(self, *args):
        where = ["--data-dir", self.server.data_dir]
        where += ["--database", self.server.database] if self.server.database else []
        args = [programs.program("xentz-server"), *args, *where]
        return programs.begin([str(a) for a in args], self.server.environment)


def ways(url):
    """From SQLite to PostgreSQL, and the other way."""
    return {"to-postgresql": (None, url), "to-sqlite": (url, None)}


@pytest.fixture(params=["to-postgresql", "to-sqlite"])
def way(request, database):
    return ways(database)[request.param]


def refuses(server, *args):
    """A command on a control plane that was moved away says so, and what to do."""
    refused = server.admin(*args).expect(4)
    assert "was moved to another one on 20" in refused.err, refused.err
    assert "--database" in refused.err and "export --undo" in refused.err, refused.err


def refuses_to_serve(server):
    server.log = ""
    server.begin()
    assert server.wait() == 4
    assert "was moved to another one" in server.log and "export --undo" in server.log, server.log
    assert not server.url


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_fleet_goes_on_in_postgresql_and_back_in_sqlite_as_if_nothing_had_happened(world, restic, database,
                                                                                      passphrase):  # noqa: F811
    server = world.server()
    move = Move(server, passphrase)
    source = world.folder("kept")
    kept = world.enrolled(server, restic, source)
    revoked = world.enrolled(server, restic, world.folder("revoked"))
    by_hand = Fleet(server)
    key = b"a key"  # without one an undelete would bring back what nobody can open
    assert by_hand.repository.request(f"keys/{hashlib.sha256(key).hexdigest()}", "POST", key).status == 200
    for agent in (kept, revoked):
        agent.run("backup").expect(0)
    server.admin("device", "revoke", revoked.device_id).expect(0)
    server.tenant("other")
    server.policy("acme", {"include": ["/srv"]}, "servers")
    server.admin("tenant", "set", "acme", "quota=1GiB", "trash-days=9").expect(0)
    unused, used = server.token("acme", uses=2), server.token("acme")
    assert fleet.install(server, used).status == 200
    credential = server.ask("repo", "credential", "create", "--device", kept.device_id, "--for", "7d", "--reason", "x",
                            "--public-url", server.url)
    held = server.ask("repo", "hold", "--device", by_hand.device, "--reason", "an inquiry")
    before_deletion = now()
    time.sleep(1.1)
    assert by_hand.repository.request(f"data/{by_hand.name}", "DELETE").status == 200
    server.admin("device", "backup-now", kept.device_id).expect(0)
    programs.wait_until(lambda: Rows(server).of("scrub"), "the scrub to have begun")
    known = [server.ask("policy", "list"), server.ask("tenant", "list"), server.ask("token", "list"), server.devices()]
    reports = the_reports_of(server, kept)

    for old, new in ((None, database), (database, None)):
        # Out of the database under a server that serves: from that moment on it has nothing to say any more.
        done = move.out()
        config = net.request(server.url + "/v1/config", headers=net.bearer(kept.device_key))
        assert (config.status, config.problem["type"]) == (503, "moved") and config.headers["retry-after"] == "60"
        report = by_hand.report(fleet.report_body(by_hand.device, report_id="rep_lost"))
        assert (report.status, report.problem["type"]) == (503, "moved")
        for method, rest in (("GET", "config"), ("POST", "data/" + "a" * 64), ("DELETE", f"data/{by_hand.name}")):
            assert by_hand.repository.request(rest, method, b"" if method == "POST" else None).status == 503, rest
        assert net.request(server.url + "/readyz").status == 503
        assert net.request(server.url + "/healthz").status == 200
        programs.wait_until(lambda: "was moved to another database: stop this process" in server.log,  # noqa: B023
                            "the server to say what to do")
        assert kept.run("backup").code != 0 and len(kept.spooled()) == 1
        assert server.stop() == 0
        assert kept.run("backup").code != 0 and len(kept.spooled()) == 2, "nobody listens at all"
        refuses_to_serve(server)
        refuses(server, "tenant", "create", "late")
        refuses(server, "token", "create", "--tenant", "acme")
        refuses(server, "device", "revoke", kept.device_id)
        refuses(server, "repo", "usage")
        refuses(server, "backup", server.room / "copy", "--passphrase-file", passphrase)
        before = Rows(server).all()
        assert len(before) > 20 and all(before[t] for t in (
            "object_life", "repository_hold", "repository_credential", "backup_request", "scrub", "storage_rule"))

        # Into the other one: on the same host nobody is asked for anything.
        if new is None:
            server.database = None
            refused = server.admin("import", move.folder).expect(1)
            assert "already" in refused.err and "aside" in refused.err
            move.put_aside()
        moved = move.into(new)
        assert moved["storage_ready"] and not moved["master_key_written"] and "settings" not in moved
        after = Rows(server).all()
        for table in before:
            assert after[table] == before[table], f"{table} is another one"
        assert after.keys() == before.keys()
        assert {t["table"]: t["rows"] for t in moved["tables"]} == {t: len(r) for t, r in before.items()}
        assert done["rows"] == moved["rows"] == sum(map(len, before.values()))

        server.log = ""
        server.start()
        assert net.request(server.url + "/readyz").status == 200
        assert [server.ask("policy", "list"), server.ask("tenant", "list"), server.ask("token", "list")] == known[:3]
        same = ("device_id", "hostname", "enrolled_at", "state", "policy")
        assert [[d.get(k) for k in same] for d in server.devices()] == [[d.get(k) for k in same] for d in known[3]]
        # A run sends what waited, once, and goes on.
        kept.run("backup").expect(0)
        assert kept.spooled() == []
        reports, had = the_reports_of(server, kept), reports
        assert reports[: len(had)] == had
        assert [status for _, _, status in reports[len(had):]] == ["failure", "failure", "success"]
        revoked.run("backup").expect(6)
        assert "device confirm" not in server.admin("device", "list").out, "a move is no restore"

        fresh = fleet.install(server, unused)
        assert fresh.status == 200, "an open token still works"
        again = fleet.install(server, used)
        assert (again.status, again.problem["type"]) == (401, "token-used")
        known[2:] = [server.ask("token", "list"), server.devices()]
        assert Repository(credential["repository"]).request("config").status == 200
        holds = server.ask("repo", "hold", "--device", by_hand.device, "--list")
        assert [h["place"] for h in holds] == [held["place"]]
        assert server.running and "differed from its journal" not in server.log

    assert by_hand.repository.request(f"data/{by_hand.name}").status == 404
    server.ask("repo", "undelete", "--device", by_hand.device, "--before", before_deletion)
    by_hand.assert_goes_on()
    kept.run("restore", "latest", "--target", world.room / "restored").expect(0)
    trees.assert_same(source, trees.below(world.room / "restored", source))
    kept.plain_restic().check()
    # What it was moved out of stays shut.
    server.stop()
    server.database = database
    refuses_to_serve(server)


def test_what_was_acknowledged_at_the_moment_of_the_export_goes_over(world, way, passphrase):  # noqa: F811
    old, new = way
    server = world.server(database=old)
    move = Move(server, passphrase)
    device = Fleet(server)
    stop, sent, odd = threading.Event(), [], []

    def write(number):
        while not stop.is_set():
            name = f"rep_{number}_{time.monotonic_ns()}"
            answer = device.report(fleet.report_body(device.device, report_id=name))
            if answer.status == 503:
                return
            (sent if answer.status == 200 else odd).append(name)

    writers = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for w in writers:
        w.start()
    try:
        programs.wait_until(lambda: len(sent) > 50, "some load")
        move.out()
    finally:
        stop.set()
        for w in writers:
            w.join()
    assert not odd
    server.stop()
    move.into(new)
    server.start()
    assert {r["report_id"] for r in server.ask("report", "list", "--limit", "100000")} == set(sent)


def fill(server, rows):
    """Many rows, so that a move takes a while."""
    life = ("insert into object_life (repository_id, place, type, name, hash, bytes, came_at, first_place, in_trash) "
            "select r.id, 1000 + n, 'data', 'n' || n, 'h', 1, 1, 1000 + n, 0 from "
            "(select id from repository limit 1) r, ")
    if server.database:
        postgresql.rows(server.database, f"{life} generate_series(1, {rows}) n")
        return
    with sqlite3.connect(server.data_dir / "xentz.db") as db:
        db.execute(f"with recursive s(n) as (select 1 union all select n + 1 from s where n < {rows}) {life} s")


def test_a_killed_import_leaves_nothing_half_done(world, way, passphrase):  # noqa: F811
    old, new = way
    server = world.server(database=old, serve=False)
    server.start()
    Fleet(server)
    server.stop()
    fill(server, 40000)
    move = Move(server, passphrase)
    move.out()
    before = Rows(server).all()
    if new is None:
        move.put_aside()
    killed_within = 0
    wal = server.data_dir / "xentz.db-wal"
    for attempt in range(4):
        running = move.begin_into(new)
        if new:
            # Rows were written, and are not committed.
            writing = "select count(*) from pg_stat_activity where application_name = 'xentz' and backend_xid is not null"
            there = lambda: int(Rows(server).ask(writing)) > 0 or running.poll() is not None  # noqa: E731
        else:
            there = lambda: (wal.exists() and wal.stat().st_size > 1_500_000) or running.poll() is not None  # noqa: E731
        programs.wait_until(there, "the import to write", pause=0.002)
        time.sleep(0.05 * attempt)
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=60)
        if running.returncode != -signal.SIGKILL:
            break
        killed_within += 1
        assert all(not rows for rows in Rows(server).all().values()), "an import is there wholly or not at all"
        server.begin()
        assert server.wait() == 4, server.log
    assert killed_within, "no import was killed while it wrote"
    if killed_within == 4:
        move.into(new)
    assert Rows(server).all() == before
    server.start()
    assert net.request(server.url + "/readyz").status == 200
    # The old one was not taken up again by any of this.
    server.stop()
    if new:
        server.database = old
        refuses_to_serve(server)


def test_a_killed_export_is_repeated_or_taken_back(world, database, passphrase):  # noqa: F811
    server = world.server()
    device = Fleet(server)
    server.stop()
    move = Move(server, passphrase)
    for then in ("undo", "again"):
        running = move.begin_out()
        marked = "select count(*) from moved_away"
        programs.wait_until(lambda: Rows(server).ask(marked) == "1" or running.poll() is not None, "the mark", pause=0.001)
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=60)
        assert running.returncode == -signal.SIGKILL, "it had ended already"
        refuses_to_serve(server)
        refused = server.admin("import", move.folder, "--database", database).expect(1)
        assert "there is no copy of a control plane" in refused.err
        if then == "undo":
            assert not server.ask("export", "--undo")["export_removed"]
            server.start()
            device.assert_goes_on()
            server.stop()
    move.out()
    move.into(database)
    server.start()
    device.assert_goes_on()


def test_a_move_that_is_given_up_changes_nothing(world, database, passphrase):  # noqa: F811
    server = world.server()
    device = Fleet(server)
    move = Move(server, passphrase)
    assert "was not moved away" in server.admin("export", "--undo").expect(1).err
    before = Rows(server).all()
    move.out()
    server.stop()
    undone = server.ask("export", "--undo")
    assert undone["export_removed"] and undone["folder"] == str(move.folder)
    assert Rows(server).all() == before
    # Nobody can import any more what is in force here again.
    assert "there is no copy of a control plane" in server.admin("import", move.folder, "--database", database).expect(1).err
    server.start()
    device.assert_goes_on()
    assert device.report(fleet.report_body(device.device)).status == 200

    # It serves on, too, where it was never stopped.
    move.out()
    assert net.request(server.url + "/readyz").status == 503
    server.ask("export", "--undo")
    assert net.request(server.url + "/readyz").status == 200
    device.assert_goes_on()

    # After an import there is no way back but a move.
    move.out()
    server.stop()
    move.into(database)
    server.database = f"sqlite:{server.room}/another.db"
    assert "was imported on 20" in server.admin("import", move.folder).expect(1).err
    server.database = None
    for again in (["export", "--undo"], ["export", server.room / "other", "--passphrase-file", passphrase]):
        refused = server.admin(*again).expect(1)
        assert "was imported on 20" in refused.err and "--not-imported" in refused.err
    refuses_to_serve(server)
    # Nor where nobody can know whether there was one.
    shutil.rmtree(move.folder)
    for again in (["export", "--undo"], ["export", move.folder, "--passphrase-file", passphrase]):
        assert "nobody here knows whether it was imported" in server.admin(*again).expect(1).err
    # Another export in the same place is not the one that moved it.
    server.database = database
    move.out()
    server.database = None
    assert "nobody here knows whether it was imported" in server.admin("export", "--undo").expect(1).err
    assert not server.ask("export", "--undo", "--not-imported")["export_removed"]
    server.start()
    device.assert_goes_on()
    server.database = f"sqlite:{server.room}/another.db"
    server.admin("import", move.folder, "--dry-run").expect(0)


def test_an_export_that_fails_does_not_move_anything(world, passphrase):  # noqa: F811
    server = world.server()
    device = Fleet(server)
    move = Move(server, passphrase)
    folder = world.room / "photos"
    folder.mkdir()
    (folder / "photo.jpg").write_bytes(b"a photo")
    assert "photo.jpg" in server.admin("export", folder, "--passphrase-file", passphrase).expect(1).err
    short = world.room / "short"
    short.write_text("too short\n")
    assert "fewer than 12" in server.admin("export", move.folder, "--passphrase-file", short).expect(1).err
    server.admin("export").expect(2)
    server.admin("export", move.folder, "--undo").expect(2)
    server.ask("backup", world.room / "copy", "--passphrase-file", passphrase)
    assert "holds a copy" in server.admin("export", world.room / "copy", "--passphrase-file", passphrase).expect(1).err
    device.assert_goes_on()
    # It fails when it is under way already: another program has put bytes into the database that are no text.
    with sqlite3.connect(server.data_dir / "xentz.db") as db:
        db.execute("update tenant set name = cast(x'ff61' as text)")
    refused = server.admin("export", move.folder, "--passphrase-file", passphrase).expect(1)
    assert "no UTF-8" in refused.err and "was not moved, and is in force as before" in refused.err
    with sqlite3.connect(server.data_dir / "xentz.db") as db:
        db.execute("update tenant set name = 'acme'")
    device.assert_goes_on()
    move.out()
    refused = server.admin("backup", move.folder, "--passphrase-file", passphrase)
    assert "was moved to another one" in refused.expect(4).err
    server.data_dir = world.room / "elsewhere"
    refused = server.admin("restore", move.folder, "--passphrase-file", passphrase)
    assert "xentz-server import" in refused.expect(1).err and not server.data_dir.exists()


def resigned(path, key, change):
    """Rewrites manifest.json as somebody with the master key could."""
    manifest = json.loads(path.read_text())
    change(manifest)
    del manifest["mac"]
    text = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False)
    secret = hmac.digest(bytes.fromhex(key), b"mac\ncontrol-copy", "sha256")
    manifest["mac"] = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    path.write_text(json.dumps(manifest))


def test_what_cannot_be_imported_changes_nothing(world, database, passphrase):  # noqa: F811
    server = world.server()
    Fleet(server)
    server.stop()
    other = world.server(serve=False)
    move = Move(server, passphrase)
    assert "there is no copy" in server.admin("import", move.folder).expect(1).err
    server.ask("backup", world.room / "copy", "--passphrase-file", passphrase)
    assert "no export" in server.admin("import", world.room / "copy", "--database", database).expect(1).err
    move.out()
    before, key = Rows(server).all(), server.master_key()
    server.database = database

    def refused(*args, of=server):
        outcome = of.admin("import", move.folder, *args)
        assert outcome.code == 1 and len(outcome.err) > 60, outcome.text
        assert Rows(server).tables() == [], "the database was touched"
        return outcome.err

    # The wrong key: of another server, or a wrong passphrase on a host without one.
    other.database = database
    assert "of another master key" in refused(of=other)
    wrong = world.room / "wrong"
    wrong.write_text("another horse battery staple\n")
    there, server.data_dir = server.data_dir, world.room / "elsewhere"
    assert "the passphrase does not open it" in refused("--passphrase-file", wrong)
    assert not server.data_dir.exists()
    server.data_dir = there

    # Files that are not as they were.
    for path in sorted(move.folder.iterdir()):
        whole = path.read_bytes()
        if path.name == "lock":
            continue
        for damage in (whole[:-20], whole[: len(whole) // 2], whole.replace(b"a", b"b", 1), None):
            path.unlink() if damage is None else path.write_bytes(damage)
            refused()
            path.write_bytes(whole)

    # Of another version, later or earlier.
    manifest = move.folder / "manifest.json"
    whole = manifest.read_text()
    for change in (lambda m: m["schema"].append("9999_later"), lambda m: m["schema"].pop()):
        resigned(manifest, key, change)
        assert "another version of xentz-server" in refused()
        manifest.write_text(whole)
    # Rows that do not add up, in an export that is genuine.
    resigned(manifest, key, lambda m: m["tables"][1].update(digest="0" * 64))
    assert "the rows of the table tenant did not arrive" in server.admin("import", move.folder).expect(1).err
    assert all(not rows for rows in Rows(server).all().values())
    manifest.write_text(whole)

    # A look changes nothing either.
    file = world.room / "new.db"
    server.database = f"sqlite:{file}"
    look = server.admin("import", move.folder, "--dry-run").expect(0)
    assert "Nothing was changed" in look.out and not file.exists()

    # A database that holds another control plane.
    other.database = None
    held = Rows(other).all()
    server.database = f"sqlite:{other.data_dir / 'xentz.db'}"
    for more in ([], ["--dry-run"]):
        assert "holds a control plane already" in server.admin("import", move.folder, *more).expect(1).err
        assert Rows(other).all() == held

    move.into(database)
    assert Rows(server).all() == before
    assert "was imported on 20" in server.admin("import", move.folder).expect(1).err


def test_to_another_host_with_the_passphrase_or_the_recovery_sheet(world, restic, database, passphrase):  # noqa: F811
    server = world.server()
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    server.stop()
    shown = server.admin("recovery-sheet").expect(0).out
    sheet = world.room / "sheet"
    sheet.write_text("\n".join(re.findall(r"^ +\d:.*$", shown, re.M)))
    config = world.room / "server.conf"
    config.write_text(f"data-dir={server.data_dir}\nstorage={server.storage_address}\n")
    move = Move(server, passphrase)
    programs.run([programs.program("xentz-server"), "export", move.folder, "--config", config, "--passphrase-file",
                  passphrase], server.environment).expect(0)
    for path in move.folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert server.master_key() not in path.read_text()
    key, before = server.master_key(), Rows(server).all()
    server.data_dir = world.room / "another-host"
    there = server.admin("import", move.folder, "--recovery-sheet-file", sheet, "--dry-run").expect(0)
    assert "Nothing was changed" in there.out and not server.data_dir.exists()
    moved = move.into(database, "--passphrase-file", passphrase)
    assert moved["master_key_written"] and server.master_key() == key
    with open(moved["settings"]) as settings:
        assert settings.read() == config.read_text()
    assert Rows(server).all() == before
    server.start()
    agent.run("backup").expect(0)
    assert len(the_reports_of(server, agent)) == 2
