"""What every system test can ask for. Nothing here is faked: each test has the real server, agent and restic, in a
room of its own, on ports of its own, and may run beside any other."""

import contextlib
import copy
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness import net, programs, trees  # noqa: E402
from harness.agent import Agent  # noqa: E402
from harness.fleet import Fleet  # noqa: E402
from harness.object_store import a_bucket  # noqa: E402
from harness.pair import Pair  # noqa: E402
from harness.postgresql import a_database  # noqa: E402
from harness.server import Server  # noqa: E402

# No jitter and nothing that depends on the machine's time of day.
POLICY = {
    "schedule": {"daily_at": "02:00"},
    "include": [],
    "retention": {"keep_last": 10, "prune": True},
}


def pytest_generate_tests(metafunc):
    if "restic" in metafunc.fixturenames:
        found = programs.restic_programs()
        ids = [f"restic-{programs.restic_version(program)}" for program in found]
        metafunc.parametrize("restic", found, ids=ids, scope="session")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its programs said."""
    report = (yield).get_result()
    world = item.funcargs.get("world") if hasattr(item, "funcargs") else None
    if report.failed and world:
        for server in world.servers:
            report.sections.append(("xentz-server", server.log[-8000:]))
        for agent in world.agents:
            report.sections.append((f"xentz-agent in {agent.room.name}", agent.transcript[-8000:]))


@contextlib.contextmanager
def a_room():
    path = pathlib.Path(tempfile.mkdtemp(prefix="xentz-system-"))
    try:
        yield path
    finally:
        if os.environ.get("XENTZ_KEEP"):
            print(f"kept: {path}")
        else:
            subprocess.run(["chmod", "-R", "u+rwX", path], check=False, capture_output=True)
            shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def room():
    """An empty folder that goes away with its test. XENTZ_KEEP=1 leaves it for a look afterwards."""
    with a_room() as path:
        yield path


@pytest.fixture
def database(room):
    """The address of an empty PostgreSQL database."""
    with a_database(room) as url:
        yield url


@pytest.fixture
def bucket(room):
    """A place of one's own in a real object store."""
    with a_bucket(room) as made:
        yield made


class World:
    """The programs of one test; all of them are gone when it ends."""

    def __init__(self, room):
        self.room = room
        self.servers = []
        self.agents = []
        self.proxies = []

    def server(self, *, serve=True, tenant="acme", policy=None, name=None, **options):
        """An initialised server that serves, with a tenant and a policy without surprises."""
        made = Server(self.room, name or f"server{len(self.servers)}", **options)
        self.servers.append(made)
        if tenant:
            made.tenant(tenant)
            made.policy(tenant, {**POLICY, **(policy or {})})
        return made.start() if serve else made

    def agent(self, restic, name=None, **options):
        made = Agent(self.room, restic, name or f"agent{len(self.agents)}", **options)
        self.agents.append(made)
        return made

    def enrolled(self, server, restic, *include, tenant="acme", url=None, options=(), **agent_options):
        """A device of the tenant that backs up the given folders."""
        made = self.agent(restic, **agent_options)
        made.install(url or server.url, server.token(tenant), *include, options=options)
        return made

    def control_proxy(self, server, **options):
        made = net.ControlProxy(server.url, **options)
        self.proxies.append(made)
        return made

    def tcp_proxy(self, port, **options):
        made = net.TcpProxy(port, **options)
        self.proxies.append(made)
        return made

    def folder(self, name="source", files=30, seed=1):
        path = self.room / name
        trees.make_small(path, files, seed)
        return path

    def close(self):
        for proxy in self.proxies:
            proxy.close()
        for server in self.servers:
            server.close()


@pytest.fixture
def world(room):
    made = World(room)
    yield made
    made.close()


@pytest.fixture
def server(world):
    return world.server()


@pytest.fixture
def pair(world, bucket, database):
    """Two servers over one bucket and one PostgreSQL, behind nginx."""
    return Pair(world, bucket, database)


@pytest.fixture
def fleet(server):
    return Fleet(server)


@pytest.fixture(scope="module")
def lasting_fleet():
    """One server for all tests of a file that leave it as it was."""
    with a_room() as room:
        world = World(room)
        try:
            yield Fleet(world.server())
        finally:
            world.close()


@pytest.fixture
def unchanged(lasting_fleet):
    """Whatever a test sends: afterwards nothing is stored and the server serves. A test that adds something on purpose
    says so by replacing `everything` on what it is given."""
    fleet = copy.copy(lasting_fleet)
    before = fleet.everything()
    yield fleet
    assert fleet.everything() == before, f"what the server said:\n{fleet.server.log[-2000:]}"
    fleet.assert_goes_on()
