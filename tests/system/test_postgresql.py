"""The main job with the rows in PostgreSQL instead of SQLite."""

import os
import pathlib
import subprocess
import urllib.parse

import pytest
from harness import net, trees

TOOL = pathlib.Path(__file__).parents[1] / "support" / "postgresql"


@pytest.fixture
def database(room):
    """An empty database of one's own: on the server that XENTZ_TEST_POSTGRESQL names, else on one that is started
    for the test."""
    url = os.environ.get("XENTZ_TEST_POSTGRESQL")
    started = None
    if not url:
        room.chmod(0o755)
        started = room / "postgresql"
        made = subprocess.run([TOOL, "start", started], capture_output=True, text=True, timeout=120, check=True)
        url = made.stdout.strip().splitlines()[-1]
    name = f"system_{os.getpid()}_{room.name[-8:].lower()}"
    psql = ["psql", "-X", "-q", "-d", url, "-c"]
    subprocess.run([*psql, f'create database "{name}"'], check=True, timeout=60)
    parts = urllib.parse.urlsplit(url)
    yield urllib.parse.urlunsplit(parts._replace(path=f"/{name}"))
    if started:
        subprocess.run([TOOL, "stop", started], check=True, timeout=60, stdout=subprocess.DEVNULL)
    else:
        subprocess.run([*psql, f'drop database "{name}" with (force)'], check=True, timeout=60)


def test_the_main_job(world, restic, database):
    server = world.server(database=database, policy={"retention": {"keep_last": 1, "prune": True}})
    assert not list(server.data_dir.glob("*.db*"))
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    (source / "more").write_bytes(b"more")
    agent.run("backup").expect(0)
    agent.run("retention").expect(0)
    agent.run("restore", "latest", "--target", world.room / "restored").expect(0)
    trees.assert_same(source, trees.below(world.room / "restored", source))
    server.kill()
    server.restart()
    assert sorted(r["job"] for r in server.reports()) == ["backup", "backup", "restore", "retention"]
    assert net.request(server.url + "/readyz").status == 200
    agent.run("backup").expect(0)
