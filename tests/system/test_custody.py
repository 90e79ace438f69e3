"""Who has the repository's password besides the machine: the server, the tenant's key, or nobody; and a new password in
place of an old one, wherever that is cut short."""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import time

import pytest

from harness import net, programs, trees

CUSTODIES = ["server", "sealed", "device"]


class Fleet:
    """A server whose tenant keeps passwords in one of the three ways."""

    def __init__(self, world, custody):
        self.world, self.custody = world, custody
        self.server = world.server()
        self.private_key = world.room / "custody.key"
        if custody == "sealed":
            made = self.server.ask("custody", "keygen", "--out", self.private_key)
            self.public_key = made["public_key"]
            self.server.admin("tenant", "set", "acme", f"custody-key={self.public_key}", "custody=sealed").expect(0)
        elif custody == "device":
            self.server.admin("tenant", "set", "acme", "custody=device").expect(0)

    def lost(self, agent):
        """What its owner has of a lost machine, as options of `recover`."""
        if self.custody == "sealed":
            return ["--private-key-file", self.private_key]
        if self.custody == "device":
            sheet = self.world.room / "sheet"
            sheet.write_text(agent.password + "\n")
            return ["--password-file", sheet]
        return []

    def recover(self, restic, agent, *args, name, expect=0):
        token = self.server.ask("token", "create", "--recovery", "--device", agent.device_id, "--allow-take-over")
        heir = self.world.agent(restic, name)
        heir.run("recover", "--server", self.server.url, *self.lost(agent), *args,
                 environment={"XENTZ_RECOVERY_TOKEN": token["token"]}).expect(expect)
        return heir


@pytest.fixture(params=CUSTODIES)
def fleet(request, world):
    return Fleet(world, request.param)


def kill_with_children(process):
    below = programs.children_of(process.pid)
    process.kill()
    for pid in below:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)


def is_free(lock):
    """Nobody holds it: not a restic either that was started in the very moment of the kill."""
    with open(lock) as file, contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def found_in(folder, secret):
    return [str(p) for p in folder.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]


def memory_of(process):
    """What the process has in its memory that can be read; not what a sanitizer reserves for its notes, terabytes in a
    piece, of which next to nothing is there."""
    pieces = []
    with open(f"/proc/{process.pid}/maps") as maps, open(f"/proc/{process.pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            if "r" not in rights or "[v" in line:
                continue
            begin, end = (int(n, 16) for n in span.split("-"))
            if end - begin > 1 << 30:
                continue
            try:
                memory.seek(begin)
                pieces.append(memory.read(end - begin))
            except OSError:
                continue
    return b"".join(pieces)


def test_from_install_to_recovery_on_another_machine(world, restic, fleet):
    source = world.folder()
    before = trees.survey(source)
    agent = world.enrolled(fleet.server, restic, source, name="first")
    assert agent.config["custody"] == fleet.custody
    assert not (agent.home / "state" / "deposit.json").exists(), "the server said that it keeps it"
    agent.run("backup").expect(0)
    password = agent.password
    memory = memory_of(fleet.server.process)
    # Who looks finds what is there.
    assert bytes.fromhex(fleet.server.master_key()) in memory
    assert found_in(fleet.server.data_dir, agent.device_id)
    if fleet.custody != "server":
        assert not found_in(fleet.server.data_dir, password)
        assert not found_in(fleet.server.storage, password)
        assert password.encode() not in memory and bytes.fromhex(password) not in memory
    target = world.room / "back"
    heir = fleet.recover(restic, agent, "--target", target, "--take-over", "--yes", name="heir")
    trees_there = trees.survey(trees.below(target, source))
    assert trees_there == before
    assert heir.password == password
    assert heir.config["custody"] == fleet.custody
    assert heir.config.get("custody_key") == (fleet.public_key if fleet.custody == "sealed" else None)
    heir.run("backup").expect(0)


def keys(agent):
    return json.loads(agent.plain_restic().run("key", "list", "--json").expect(0).out)


def test_a_new_password(world, restic, fleet):
    source = world.folder()
    agent = world.enrolled(fleet.server, restic, source, name="first")
    agent.run("backup").expect(0)
    old, old_keys = agent.password, keys(agent)
    said = agent.ask("rotate-password")
    assert said["went_on"] is False
    assert agent.password != old
    assert pathlib.Path(said["old_password_file"]).read_text().strip() == old
    assert len(keys(agent)) == 1 and keys(agent)[0]["id"] != old_keys[0]["id"]
    agent.run("backup").expect(0)
    heir = fleet.recover(restic, agent, "--target", world.room / "back", "--take-over", "--yes", name="heir")
    assert heir.password == agent.password
    heir.run("rotate-password").expect(0)
    heir.run("backup").expect(0)
    third = fleet.recover(restic, heir, "--target", world.room / "again", name="third")
    assert third.password == heir.password
    heir.plain_restic().run("check", "--read-data").expect(0)


@pytest.mark.parametrize(("custody", "moments"), [("server", 5), ("sealed", 2)])
def test_killed_at_every_step(world, restic, custody, moments):
    """kill -9 of the agent and its restic after each moment of a rotation; whatever lies on the machine then, and
    whatever the server keeps, opens the repository, and the next call goes on."""
    fleet = Fleet(world, custody)
    source = world.folder(files=5)
    agent = world.enrolled(fleet.server, restic, source, name="first")
    agent.run("backup").expect(0)
    began = time.monotonic()
    agent.run("rotate-password").expect(0)
    whole = time.monotonic() - began
    moments = int(os.environ.get("XENTZ_TEST_ROTATIONS", moments))
    for moment in range(moments):
        process = agent.begin("rotate-password")
        time.sleep(whole * (moment + 0.5) / moments)
        kill_with_children(process)
        programs.wait_until(lambda: is_free(agent.home / "run.lock"), "what was killed to be gone")
        agent.run("backup").expect(0)
        assert agent.plain_restic().run("snapshots").code == 0
        agent.run("rotate-password").expect(0)
        assert not list(agent.home.glob("restic.pw.next")) and not (agent.home / "state" / "password.json").exists()
        assert len(keys(agent)) <= 2, "at most one key is left behind by a restic that was killed while it added one"
    heir = fleet.recover(restic, agent, "--target", world.room / "back", name="heir")
    assert heir.password == agent.password


def test_a_rotation_waits_for_a_server_that_can_take_the_password(world, restic):
    fleet = Fleet(world, "server")
    agent = world.enrolled(fleet.server, restic, world.folder(files=3), name="first")
    agent.run("backup").expect(0)
    old = agent.password
    fleet.server.kill()
    assert agent.run("rotate-password").code != 0
    assert agent.password == old and not list(agent.home.glob("restic.pw.*"))
    fleet.server.restart()
    agent.run("rotate-password").expect(0)


def test_where_keys_must_stay_the_rotation_says_so(world, restic):
    fleet = Fleet(world, "server")
    agent = world.enrolled(fleet.server, restic, world.folder(files=3), name="first")
    agent.run("backup").expect(0)
    fleet.server.admin("device", "set", agent.device_id, "protection=append-only").expect(0)
    time.sleep(1)
    old = agent.password
    refused = agent.run("rotate-password").expect(1)
    assert "append-only" in refused.err
    assert agent.password == old
    agent.run("backup").expect(0)
    fleet.server.admin("repo", "maintain", "--device", agent.device_id, "--for", "1h").expect(0)
    time.sleep(1)
    assert agent.ask("rotate-password")["went_on"] is True
    agent.run("backup").expect(0)


def test_the_control_plane_cannot_lower_the_custody(world, restic):
    fleet = Fleet(world, "sealed")
    agent = world.enrolled(fleet.server, restic, world.folder(files=3), name="first")
    agent.run("backup").expect(0)
    other = fleet.server.ask("custody", "keygen", "--out", world.room / "other.key")["public_key"]
    fleet.server.admin("tenant", "set", "acme", f"custody-key={other}", "custody=server").expect(0)
    agent.run("rotate-password").expect(0)
    assert agent.config["custody_key"] == fleet.public_key
    assert not found_in(fleet.server.data_dir, agent.password)
    heir = fleet.recover(restic, agent, "--target", world.room / "back", name="heir")  # with the key of the beginning
    assert heir.password == agent.password


def test_the_machine_changes_its_custody(world, restic):
    """From the server's to the tenant's to its own and back, each with a password that nobody else has had."""
    fleet = Fleet(world, "server")
    source = world.folder(files=3)
    agent = world.enrolled(fleet.server, restic, source, name="first")
    agent.run("backup").expect(0)
    fleet.public_key = fleet.server.ask("custody", "keygen", "--out", fleet.private_key)["public_key"]
    for custody in ("sealed", "device", "server"):
        key = ["--custody-key", fleet.public_key] if custody == "sealed" else []
        said = agent.run("rotate-password", "--custody", custody, "--recovery-sheet", *key).expect(0)
        assert agent.config["custody"] == custody
        assert ("1: " in said.out) == (custody == "device"), said.out
        agent.run("backup").expect(0)
        if custody != "server":
            assert not found_in(fleet.server.data_dir, agent.password)
            assert agent.password.encode() not in memory_of(fleet.server.process)
        fleet.custody = custody
        heir = fleet.recover(restic, agent, "--target", world.room / f"back-{custody}", name=f"heir-{custody}")
        assert heir.password == agent.password
        assert trees.survey(trees.below(world.room / f"back-{custody}", source)) == trees.survey(source)
    for wrong in (["nobody"], ["sealed"], ["sealed", "--custody-key", "abc"], ["device", "--custody-key", fleet.public_key]):
        agent.run("rotate-password", "--custody", *wrong).expect(2)


def test_a_thief_who_changes_the_custody_takes_no_password_away(world, restic):
    fleet = Fleet(world, "server")
    source = world.folder(files=3)
    agent = world.enrolled(fleet.server, restic, source, name="first")
    agent.run("backup").expect(0)
    url, key = f"{fleet.server.url}/v1/password", net.bearer(agent.device_key)
    for message, status in [
        ({"custody": "nobody"}, 400), ({"custody": "sealed"}, 400), ({"custody": "sealed", "custody_key": "abc"}, 400),
        ({"custody": "device", "password": "x"}, 409), ({"custody": "device"}, 200), ({"custody": "device"}, 200),
    ]:
        assert net.request(url, "POST", json.dumps(message), key).status == status, message
    heir = fleet.recover(restic, agent, "--target", world.room / "back", name="heir")
    assert heir.password == agent.password
    # The machine's own word puts it back where it was.
    agent.run("rotate-password").expect(0)
    heir = fleet.recover(restic, agent, "--target", world.room / "back-again", name="again")
    assert heir.password == agent.password


def test_a_thief_of_the_device_key_takes_no_password_away(world, restic):
    fleet = Fleet(world, "server")
    source = world.folder(files=3)
    agent = world.enrolled(fleet.server, restic, source, name="first")
    agent.run("backup").expect(0)
    answer = net.request(f"{fleet.server.url}/v1/password", "POST",
                         json.dumps({"password": "what the thief would like"}), net.bearer(agent.device_key))
    assert answer.status == 200
    heir = fleet.recover(restic, agent, "--target", world.room / "back", name="heir")
    assert heir.password == agent.password
    assert trees.survey(trees.below(world.room / "back", source)) == trees.survey(source)


def test_the_sheet_of_a_machine_that_keeps_its_password(world, restic):
    fleet = Fleet(world, "device")
    source = world.folder(files=3)
    agent = world.agent(restic, "first")
    said = agent.install(fleet.server.url, fleet.server.token("acme"), source, options=["--recovery-sheet"])
    agent.run("backup").expect(0)
    sheet = world.room / "paper"
    sheet.write_text("\n".join(line for line in said.out.splitlines() if line.strip()[:2] in ("1:", "2:", "3:", "4:")))
    password, device_id = agent.password, agent.device_id
    shutil.rmtree(agent.home)
    token = fleet.server.ask("token", "create", "--recovery", "--device", device_id)["token"]
    heir = world.agent(restic, "heir")
    heir.run("recover", "--server", fleet.server.url, "--password-file", sheet, "--target", world.room / "back",
             environment={"XENTZ_RECOVERY_TOKEN": token}).expect(0)
    assert heir.password == password
    plain = world.agent(restic, "second")
    told = plain.install(fleet.server.url, fleet.server.token("acme"), source)
    assert plain.password not in told.out + told.err, "not into a log"
