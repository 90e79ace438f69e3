"""The statements of docs/security.md that no other test proves, and that each statement there names a test that exists."""

import ctypes
import ctypes.util
import hashlib
import hmac
import pathlib
import re
import sqlite3

from harness import net, trees
from harness.fleet import Fleet
from harness.server import Restic

ROOT = pathlib.Path(__file__).parents[2]
MARK = b"a line that stands in a file of the victim and nowhere else"


def test_the_storage_alone_tells_nothing(world, restic):
    """A disk of backups that was lost, stolen or thrown away."""
    server = world.server()
    source = world.folder(files=5)
    (source / "telling-name.txt").write_bytes(MARK * 50)
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    server.stop()
    secrets = [MARK, b"telling-name", agent.password.encode(), agent.device_key.encode(), server.master_key().encode(),
               agent.repository.secret.encode()]
    seen = 0
    for path in server.storage.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            seen += len(content)
            assert not [s for s in secrets if s in content], path
    assert seen > 1000
    folder = next((server.storage / "repositories").iterdir())
    stranger = Restic(restic, world.room, str(folder), "a guess")
    assert stranger.run("snapshots", "--no-lock").code != 0


def opened_boxes(data_dir):
    """Repository passwords by device, as docs/repository-server.md says how to open them."""
    key = bytes.fromhex((data_dir / "master.key").read_text().strip())
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    found = {}
    rows = sqlite3.connect(data_dir / "xentz.db").execute("select id, device_id, password_box from repository")
    for repository, device, box in rows.fetchall():
        if box is None:
            found[device] = None
            continue
        box = bytes.fromhex(box)
        box_key = hmac.new(key, b"box\n" + repository.encode(), hashlib.sha256).digest()
        password = ctypes.create_string_buffer(len(box) - 40)
        sealed = box[24:]
        assert sodium.crypto_secretbox_open_easy(password, sealed, ctypes.c_ulonglong(len(sealed)), box[:24],
                                                 box_key) == 0
        found[device] = password.raw.decode()
    return found


def test_who_has_the_servers_host_reads_what_it_has_custody_of_and_nothing_else(world, restic):
    server = world.server()
    server.tenant("private")
    server.policy("private", {"include": [], "retention": {"keep_last": 3, "prune": True}})
    server.admin("tenant", "set", "private", "custody=device").expect(0)
    source = world.folder(files=5)
    kept = world.enrolled(server, restic, source)
    own = world.enrolled(server, restic, source, tenant="private")
    for agent in (kept, own):
        agent.run("backup").expect(0)
    boxes = opened_boxes(server.data_dir)
    assert boxes == {kept.device_id: kept.password, own.device_id: None}
    operator = Restic(restic, world.room, kept.repository.address, boxes[kept.device_id])
    operator.run("restore", "latest", "--target", world.room / "read").expect(0)
    trees.assert_same(source, trees.below(world.room / "read", source))
    secret = own.password.encode()
    for root in (server.data_dir, server.storage):
        assert not [p for p in root.rglob("*") if p.is_file() and secret in p.read_bytes()]


def test_a_tenant_reaches_nothing_of_another(server):
    victim = Fleet(server)
    server.tenant("thief")
    server.policy("thief", {"include": [], "retention": {"keep_last": 3, "prune": True}})
    answer = net.request(server.url + "/v1/install", "POST",
                         {"metadata": {"hostname": "h", "os": "linux", "arch": "amd64"}},
                         net.bearer(server.token("thief")))
    thief = answer.data
    user, secret = re.search("//([^:]+):([^@]+)@", thief["repo_path"]).groups()
    before = victim.repository.everything(), server.stored_files()
    requests = [("config", "GET"), ("config", "DELETE"), ("?create=true", "POST"), ("data/", "GET"), ("data/", "DELETE")]
    for kind in ("data", "keys", "locks", "snapshots", "index"):
        requests += [(f"{kind}/{victim.name}", method) for method in ("GET", "HEAD", "POST", "DELETE")]
    for headers in (net.basic(user, secret), net.basic(victim.device, secret), net.basic(user, victim.repository.secret),
                    net.bearer(thief["device_api_key"])):
        for rest, method in requests:
            refused = net.request(victim.repository.url + rest, method, b"x" if method == "POST" else None, headers)
            assert refused.status == 401, (rest, method)
    assert (victim.repository.everything(), server.stored_files()) == before
    assert net.request(server.url + "/v1/config", headers=net.bearer(thief["device_api_key"])).data[
        "restic"]["repository"] == thief["repo_path"]


def test_a_full_tenant_leaves_the_others_their_room(server):
    greedy = Fleet(server)
    server.tenant("frugal")
    server.policy("frugal", {"include": [], "retention": {"keep_last": 3, "prune": True}})
    server.admin("tenant", "set", "acme", "quota=100kB").expect(0)
    body = b"x" * 60_000
    for content, status in ((body, 200), (body + b"y", 507)):
        name = hashlib.sha256(content).hexdigest()
        assert greedy.repository.request(f"data/{name}", "POST", content).status == status
    # The tenant's next device gets no room by being another.
    second = net.request(server.url + "/v1/install", "POST",
                         {"metadata": {"hostname": "h", "os": "linux", "arch": "amd64"}},
                         net.bearer(server.token("acme"))).data
    other = net.request(server.url + "/v1/install", "POST",
                        {"metadata": {"hostname": "h", "os": "linux", "arch": "amd64"}},
                        net.bearer(server.token("frugal"))).data
    for device, status in ((second, 507), (other, 200)):
        user, secret = re.search("//([^:]+):([^@]+)@", device["repo_path"]).groups()
        url = re.sub("^rest:(https?://)[^@]+@", r"\1", device["repo_path"])
        headers = net.basic(user, secret)
        assert net.request(url + "?create=true", "POST", headers=headers).status == 200
        name = hashlib.sha256(body).hexdigest()
        assert net.request(f"{url}data/{name}", "POST", body, headers).status == status


def named_tests():
    """What stands in the last column of the tables of docs/security.md."""
    for line in (ROOT / "docs" / "security.md").read_text().splitlines():
        cells = line.strip().strip("|").split("|")
        if line.startswith("|") and len(cells) == 3:
            yield from re.findall(r"`([a-z_0-9]+(?:\.[a-z_0-9]+)?)`", cells[-1])


def test_each_test_that_the_threat_model_names_exists():
    sources = "\n".join(p.read_text() for kind in ("system", "unit", "contract")
                        for p in (ROOT / "tests" / kind).rglob("*") if p.suffix in (".py", ".cpp", ".hpp"))
    names = list(named_tests())
    assert len(names) > 30
    missing = []
    for name in names:
        suite, _, test = name.rpartition(".")
        wanted = rf"TEST(_F|_P)?\({suite}, {test}\)" if suite else rf"def {test}\("
        if suite == "fuzz":
            found = (ROOT / "fuzz" / test / f"{test}_fuzz.cpp").is_file()
        else:
            found = re.search(wanted, sources)
        if not found:
            missing.append(name)
    assert not missing
