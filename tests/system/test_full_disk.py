"""Disks that are full: the server's, that of a repository of one's own, and the agent's. Needs root, to mount small
ones."""

import os
import subprocess

import pytest

MIB = 1024 * 1024


class Disk:
    def __init__(self, path, mebibytes):
        self.path = path
        path.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=700", "tmpfs", path], check=True)

    def resize(self, mebibytes):
        subprocess.run(["mount", "-o", f"remount,size={mebibytes}m", self.path], check=True)

    def fill(self, leave):
        free = os.statvfs(self.path).f_bavail * os.statvfs(self.path).f_bsize
        (self.path / "filler").write_bytes(bytes(max(0, free - leave)))

    def close(self):
        subprocess.run(["umount", "-l", self.path], check=True)


@pytest.fixture
def disk():
    made = []

    def make(path, mebibytes):
        made.append(Disk(path, mebibytes))
        return made[-1]

    yield make
    for one in made:
        one.close()


def source_of(world, mebibytes):
    source = world.folder()
    (source / "random").write_bytes(os.urandom(mebibytes * MIB))
    return source


def assert_full(agent, run):
    assert agent.state("backup")["status"] == "failure"
    assert agent.state("backup")["fault"]["code"] == "repository-full", agent.state("backup")["fault"]
    assert agent.state("backup")["fault"]["remedy"]
    assert "no space left" in run.err, run.text


def test_the_servers(world, restic, disk):
    small = disk(world.room / "server0-storage", 32)
    server = world.server(options=["--min-free", "1"])
    agent = world.enrolled(server, restic, source_of(world, 48))
    run = agent.run("backup", limit=120).expect(1)
    assert_full(agent, run)
    assert [r["status"] for r in server.reports(job="backup")] == ["failure"], "the report needs no room there"
    agent.repository.assert_whole()
    small.resize(160)
    agent.run("backup").expect(0)
    agent.plain_restic().check()


def test_that_of_a_local_repository(world, restic, disk):
    small = disk(world.room / "disk", 32)
    (world.room / "password").write_text("correct horse battery staple\n")
    agent = world.agent(restic)
    agent.run("install", "--repo", small.path / "repository", "--password-file", world.room / "password", "--scheduler",
              "none", "--include", source_of(world, 48)).expect(0)
    run = agent.run("backup", "--auto-init", limit=120).expect(1)
    assert_full(agent, run)
    small.resize(160)
    agent.run("backup").expect(0)
    assert len(agent.ask("snapshots")) == 1


def test_the_agents(world, server, restic, disk):
    agent = world.agent(restic)
    agent.home.mkdir(mode=0o700)
    small = disk(agent.home, 8)
    agent.install(server.url, server.token("acme"), source_of(world, 4))
    agent.run("backup").expect(0)
    small.fill(leave=0)
    before = agent.home.joinpath("state", "backup.json").read_text()
    run = agent.run("backup").expect(1)
    assert "disk" in run.err and "space" in run.err, run.text
    assert agent.home.joinpath("state", "backup.json").read_text() == before, "old or new, nothing between"
    (small.path / "filler").unlink()
    agent.run("backup").expect(0)
    assert [r["status"] for r in server.reports(device=agent.device_id, job="backup")].count("success") >= 2
    agent.plain_restic().check()
