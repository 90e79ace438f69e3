"""The control plane is lost and comes back from its own copy: `xentz-server backup` and `restore`."""

import hashlib
import json
import os
import pathlib
import pty
import re
import select
import shutil
import threading
import time

import pytest
from harness import fleet, net, programs, trees
from harness.fleet import Fleet
from harness.server import Repository, Restic
from test_insight import metrics

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def passphrase(room):
    path = room / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    path.chmod(0o600)
    return path


class Copies:
    """The copy of a server, and the way back to it."""

    def __init__(self, server, passphrase):
        self.server = server
        self.passphrase = passphrase
        self.folder = server.room / "copy"

    def make(self):
        return self.server.ask("backup", self.folder, "--passphrase-file", self.passphrase)

    def destroy(self):
        """The host is gone, with everything that the control plane kept on it. The disk of the storage survives."""
        self.server.kill()
        shutil.rmtree(self.server.data_dir)

    def restore(self, *more, serve=True):
        """On another host: nothing is where it was, but devices reach it by the same address."""
        self.server.data_dir = self.server.room / "another-host"
        done = self.server.ask("restore", self.folder, "--passphrase-file", self.passphrase, *more)
        if serve:
            self.server.start()
        return done


@pytest.fixture
def copies(server, passphrase):
    return Copies(server, passphrase)


def the_reports_of(server, agent):
    found = server.reports(device=agent.device_id)
    assert len({r["report_id"] for r in found}) == len(found)
    return sorted((r["started_at"], r["job"], r["status"]) for r in found)


def test_destroyed_restored_and_an_agent_that_was_away_goes_on_as_if_nothing_had_happened(world, restic, passphrase):
    server = world.server()
    proxy = world.control_proxy(server)
    source = world.folder()
    agent = world.enrolled(server, restic, source, url=proxy.url)
    agent.run("backup").expect(0)
    copies = Copies(server, passphrase)
    copies.make()
    agent.run("backup").expect(0)
    agent.run("retention").expect(0)
    before, identity = the_reports_of(server, agent), agent.config
    assert len(before) == 3

    copies.destroy()
    (source / "made while it was away").write_bytes(b"new")
    assert agent.run("backup").code != 0, "its repository is away, too"
    assert len(agent.spooled()) == 1

    restored = copies.restore()
    assert restored["epoch"] == 1 and [d["device_id"] for d in restored["devices_to_confirm"]] == [agent.device_id]
    assert len(server.reports()) == 1, "the copy knows the first report alone"
    agent.run("backup").expect(0)
    assert agent.spooled() == []
    after = the_reports_of(server, agent)
    assert after[:3] == before, "what the server had lost was sent again"
    assert [(job, status) for _, job, status in after[3:]] == [("backup", "failure"), ("backup", "success")]
    assert agent.config == identity, "nobody had to enrol anew"

    proxy.seen.clear()
    agent.run("backup").expect(0)
    assert len(proxy.calls("POST", "/v1/report")) == 1, "an epoch makes them be sent again once"
    agent.run("restore", "latest", "--target", world.room / "restored").expect(0)
    trees.assert_same(source, trees.below(world.room / "restored", source))
    address = json.loads((agent.home / "config.cached.json").read_text())["config"]["restic"]["repository"]
    Restic(restic, world.room, address, agent.password).check()
    assert "is missing from" not in server.log and net.request(server.url + "/readyz").status == 200


def test_an_agent_that_only_looks_in_reports_too(world, restic, copies, server):
    """`run-due` is what the scheduler calls: no backup is due, and the reports go all the same."""
    agent = world.enrolled(server, restic, world.folder())
    copies.make()
    agent.run("backup").expect(0)
    before = the_reports_of(server, agent)
    copies.destroy()
    copies.restore()
    assert server.reports() == []
    (agent.home / "config.cached.json").unlink()  # a device that has no config asks at once
    agent.run("run-due").expect(0)
    assert before[0] in the_reports_of(server, agent)


def test_what_came_after_the_copy(world, restic, server, copies):
    kept = world.enrolled(server, restic, world.folder("kept"))
    stolen = world.enrolled(server, restic, world.folder("stolen"))
    stolen.run("backup").expect(0)
    unused, used_later = server.token("acme"), server.token("acme")
    credential = server.ask("repo", "credential", "create", "--device", kept.device_id, "--for", "7d", "--reason", "x")
    copies.make()
    late = world.agent(restic, "late")
    source = world.folder("late")
    late.install(server.url, used_later, source)
    late.run("backup").expect(0)
    repository = [r["repository_id"] for r in server.ask("repo", "list") if r["device_id"] == late.device_id]
    server.admin("device", "revoke", stolen.device_id).expect(0)
    stolen.run("backup").expect(6)
    server.admin("repo", "credential", "rotate", "--device", kept.device_id).expect(0)
    server.admin("repo", "credential", "revoke", credential["id"], "--device", kept.device_id).expect(0)

    copies.destroy()
    done = copies.restore()
    # Tokens: one was used since, the other may have been shown to anybody.
    assert done["tokens_voided"] == 2 and done["credentials_voided"] == 1
    for token in (unused, used_later):
        refused = fleet.install(server, token)
        assert (refused.status, refused.problem["type"]) == (401, "token-revoked")
    assert {t["state"] for t in server.ask("token", "list")} <= {"revoked", "used"}
    # No credential of before opens anything; a device gets its new one with its config.
    assert kept.repository.request("config").status == 401
    kept.run("backup").expect(0)

    # A revocation is not known any more. The server says so everywhere, until somebody has looked.
    assert {d["device_id"] for d in done["devices_to_confirm"]} == {kept.device_id, stolen.device_id}
    stolen.run("backup").expect(0)
    assert "device confirm" in server.admin("device", "list").expect(0).out
    programs.wait_until(lambda: re.search("warning: .*restored from a copy.*device confirm", server.log), "the warning")
    assert metrics(server)["xentz_restore_unconfirmed", ()] == 1
    server.admin("device", "revoke", stolen.device_id).expect(0)
    server.admin("device", "confirm").expect(0)
    assert metrics(server)["xentz_restore_unconfirmed", ()] == 0
    assert "device confirm" not in server.admin("device", "list").expect(0).out
    stolen.run("backup").expect(6)
    assert server.admin("device", "confirm").code == 1

    # A device of after the copy is unknown. Its backups stay, and its password opens them.
    assert done["storage_ready"] and done["repositories_without_device"] == repository
    assert server.ask("repo", "orphans") == repository
    assert late.run("backup").code == 8
    on_disk = Restic(restic, world.room, str(server.storage / "repositories" / repository[0]), late.password)
    on_disk.check()
    assert len(on_disk.snapshots()) == 1
    late.install(server.url, server.token("acme"), source, options=["--again"])
    late.run("backup", "--accept-repository").expect(0)
    assert server.ask("repo", "orphans") == repository, "the old one is kept beside the new one"


def test_what_a_device_stored_and_deleted_after_the_copy_is_not_lost(server, copies):
    device = Fleet(server)
    copies.make()
    content = b"stored and deleted after the copy"
    name = hashlib.sha256(content).hexdigest()
    assert device.repository.request(f"data/{name}", "POST", content).status == 200
    for gone in (name, device.name):
        assert device.repository.request(f"data/{gone}", "DELETE").status == 200
    copies.destroy()
    copies.restore()
    config = net.request(server.url + "/v1/config", headers=net.bearer(device.key)).data
    repository = Repository(config["restic"]["repository"])
    # What the copy calls present comes back from the trash; what it does not know stays there, under its own place.
    programs.wait_until(lambda: repository.request(f"data/{device.name}").body == device.content, "the object to be back")
    trash = programs.wait_until(
        lambda: server.ask("repo", "trash", "list", "--device", device.device), "the trash to be taken in"
    )
    assert [t["name"] for t in trash] == [name]
    assert "is missing from" not in server.log


def test_a_copy_that_is_made_while_it_serves_is_of_one_moment(server, copies):
    device = Fleet(server)
    stop, sent, failures = threading.Event(), [], []

    def report(number):
        while not stop.is_set():
            name = f"rep_{number}_{len(sent)}"
            answer = device.report(fleet.report_body(device.device, report_id=name))
            (sent if answer.status == 200 else failures).append(name)

    writers = [threading.Thread(target=report, args=(n,)) for n in range(4)]
    for w in writers:
        w.start()
    programs.wait_until(lambda: len(sent) > 50, "some load")
    before = set(sent)
    copies.make()
    made_by = len(sent)
    programs.wait_until(lambda: len(sent) > made_by + 20, "the server to go on")
    stop.set()
    for w in writers:
        w.join()
    assert not failures
    copies.destroy()
    copies.restore()
    restored = {r["report_id"] for r in server.ask("report", "list", "--limit", "100000")}
    assert before <= restored <= set(sent) and len(restored) < len(sent)


def test_a_wrong_passphrase_changes_nothing(world, passphrase):
    server = world.server(serve=False)
    copies = Copies(server, passphrase)
    copies.make()
    wrong = server.room / "wrong"
    wrong.write_text("another horse battery staple\n")
    elsewhere = server.room / "elsewhere"
    refused = programs.run(
        [programs.program("xentz-server"), "restore", copies.folder, "--passphrase-file", wrong, "--data-dir", elsewhere],
        server.environment,
    ).expect(1)
    assert "the passphrase does not open it" in refused.err and "recovery sheet" in refused.err
    assert not elsewhere.exists()


def test_a_damaged_copy_changes_nothing(world, passphrase):
    server = world.server(serve=False)
    copies = Copies(server, passphrase)
    copies.make()
    server.data_dir = server.room / "elsewhere"
    for path in sorted(copies.folder.iterdir()):
        whole = path.read_bytes()
        if path.name == "lock":
            continue
        for damage in (whole[:-20], whole.replace(b"a", b"b", 1), None):
            path.unlink() if damage is None else path.write_bytes(damage)
            refused = server.admin("restore", copies.folder, "--passphrase-file", passphrase)
            assert refused.code == 1 and len(refused.err) > 60, f"{path.name}: {refused.text}"
            assert not server.data_dir.exists(), path.name
            path.write_bytes(whole)
    assert server.admin("restore", copies.folder, "--passphrase-file", passphrase, "--dry-run").expect(0)
    assert not server.data_dir.exists()
    copies.restore(serve=False)


def test_what_is_there_is_never_written_over(world, passphrase):
    server, other = world.server(serve=False), world.server(serve=False)
    copies = Copies(server, passphrase)
    copies.make()
    for there in (server, other):
        everything = {p: p.read_bytes() for p in there.data_dir.rglob("*") if p.is_file() and "xentz.db" not in p.name}
        refused = there.admin("restore", copies.folder, "--passphrase-file", passphrase).expect(1)
        assert "already" in refused.err
        assert {p: p.read_bytes() for p in everything} == everything
        assert there.ask("tenant", "list")[0]["name"] == "acme"
    # Without its key a database is still somebody's.
    (other.data_dir / "master.key").unlink()
    assert "already" in other.admin("restore", copies.folder, "--passphrase-file", passphrase).expect(1).err
    assert not (other.data_dir / "master.key").exists()

    folder = world.room / "photos"
    folder.mkdir()
    (folder / "photo.jpg").write_bytes(b"a photo")
    refused = server.admin("backup", folder, "--passphrase-file", passphrase).expect(1)
    assert "photo.jpg" in refused.err and [p.name for p in folder.iterdir()] == ["photo.jpg"]
    short = world.room / "short"
    short.write_text("too short\n")
    assert "fewer than 12" in server.admin("backup", world.room / "new", "--passphrase-file", short).expect(1).err
    copies.make()
    assert len(list(copies.folder.iterdir())) == 4, "a second copy takes the place of the first"


def test_the_recovery_sheet_instead_of_the_passphrase(world, passphrase):
    server = world.server(serve=False, init_options=["--recovery-sheet"])
    assert server.init_outcome.out.count("Recovery sheet") == 1
    shown = server.admin("recovery-sheet").expect(0).out
    lines = re.findall(r"^ +\d:.*$", shown, re.M)
    assert len(lines) == 4 and all(line in server.init_outcome.out for line in lines)
    copies = Copies(server, passphrase)
    copies.make()
    key = server.master_key()
    sheet = server.room / "sheet"
    mistyped = lines[1][:-1] + ("3" if lines[1].endswith("7") else "7")
    sheet.write_text("\n".join([lines[0], mistyped, *lines[2:]]))
    server.data_dir = server.room / "elsewhere"
    arguments = ["restore", copies.folder, "--recovery-sheet-file", sheet]
    assert "line 2 of the recovery sheet has a wrong digit" in server.admin(*arguments).expect(1).err
    sheet.write_text("typed at three in the morning\n" + "\n".join(lines).upper())
    server.admin(*arguments).expect(0)
    assert server.master_key() == key


def test_a_database_that_survived_gets_its_key_back_and_loses_nothing(server, copies):
    device = Fleet(server)
    copies.make()
    assert device.report(fleet.report_body(device.device)).status == 200
    server.kill()
    key = server.data_dir / "master.key"
    digits = key.read_text()
    key.unlink()
    arguments = ["restore", copies.folder, "--passphrase-file", copies.passphrase, "--key-only"]
    server.admin(*arguments).expect(0)
    assert key.read_text() == digits and key.stat().st_mode & 0o777 == 0o600
    server.start()
    assert len(server.reports()) == 1
    device.assert_goes_on()

    data_dir, server.data_dir = server.data_dir, server.room / "empty"
    assert "holds no control plane" in server.admin(*arguments).expect(1).err
    assert not (server.data_dir / "master.key").exists()
    server.data_dir = data_dir


def test_init_shows_no_key_where_nobody_reads(world):
    server = world.server(serve=False)
    assert "xentz-server recovery-sheet" in server.init_outcome.out
    assert not re.search(r"^ +1:  ", server.init_outcome.out, re.M)


def test_serve_warns_until_there_is_a_copy(server, copies):
    programs.wait_until(lambda: "there is no copy of this control plane" in server.log, "the warning")
    assert metrics(server)["xentz_control_plane_copy_timestamp_seconds", ()] == 0
    begun = time.time()
    copies.make()
    assert metrics(server)["xentz_control_plane_copy_timestamp_seconds", ()] >= int(begun)
    server.stop()
    server.log = ""
    server.restart()
    assert net.request(server.url + "/readyz").status == 200
    time.sleep(0.5)
    assert "copy of this control plane" not in server.log


def test_settings_come_along_and_no_secret_lies_open(world, passphrase):
    server = world.server(serve=False)
    config = world.room / "server.conf"
    config.write_text(f"data-dir={server.data_dir}\nstorage=file:{server.storage}\n# a secret of the settings\n")
    run = [programs.program("xentz-server"), "backup", world.room / "copy", "--config", config]
    programs.run([*run, "--passphrase-file", passphrase], server.environment).expect(0)
    for path in (world.room / "copy").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        text = path.read_text()
        for secret in (server.master_key(), PASSPHRASE, "a secret of the settings"):
            assert secret not in text, path.name
    assert (world.room / "copy").stat().st_mode & 0o777 == 0o700
    copies = Copies(server, passphrase)
    done = copies.restore(serve=False)
    assert pathlib.Path(done["settings"]).read_text() == config.read_text()


def test_the_passphrase_is_asked_for_twice_and_not_shown(world, passphrase):
    server = world.server(serve=False)
    arguments = [programs.program("xentz-server"), "backup", str(world.room / "copy"), "--data-dir", str(server.data_dir)]

    def typed(*answers):
        child, terminal = pty.fork()
        if child == 0:
            os.execve(arguments[0], arguments, server.environment)
        shown, left = "", list(answers)
        while True:
            ready, _, _ = select.select([terminal], [], [], 60)
            assert ready, shown
            try:
                more = os.read(terminal, 4096).decode()
            except OSError:
                break
            if not more:
                break
            shown += more
            if left and shown.rstrip(" ").endswith(":"):
                os.write(terminal, (left.pop(0) + "\n").encode())
                shown += "\n"
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown

    code, shown = typed(PASSPHRASE, PASSPHRASE + "x")
    assert code == 2 and "the two passphrases differ" in shown
    code, shown = typed(PASSPHRASE, PASSPHRASE)
    assert code == 0 and PASSPHRASE not in shown, shown
    Copies(server, passphrase).restore(serve=False)


def test_from_postgresql_into_sqlite(world, restic, database, passphrase):
    """The copy is of neither kind: it goes from one into the other."""
    server = world.server(database=database)
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    copies = Copies(server, passphrase)
    copies.make()
    copies.destroy()
    server.database = None
    copies.restore()
    agent.run("backup").expect(0)
    assert len(the_reports_of(server, agent)) == 2
