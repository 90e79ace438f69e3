"""2,000 idle connections, 50 slow writers and 50 slow readers beside a backup: it succeeds, and the server stays small.
How much slower it is, `script/bench idle` measures."""

import hashlib
import os
import pathlib
import re
import resource

import pytest
from harness import certificates, programs
from harness.crowd import Crowd, allow_many_files


def resident_mebibytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


@pytest.mark.parametrize("transport, most_mebibytes", [("plain", 64), ("tls", 128)])
def test_a_crowd_beside_a_backup(world, transport, most_mebibytes):
    restic = programs.restic_programs()[-1]
    key, certificate = certificates.make(world.room)
    ca_file = certificate if transport == "tls" else None
    # What a shell allows; the server raises it by itself.
    allow_many_files()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, most))
    try:
        server = world.server(options=["--tls-cert", certificate, "--tls-key", key] if ca_file else [])
    finally:
        allow_many_files()
    agent = world.enrolled(server, restic, world.folder(), options=["--ca-file", certificate] if ca_file else [])
    agent.run("backup").expect(0)
    large = os.urandom(16 << 20)
    name = hashlib.sha256(large).hexdigest()
    assert agent.repository.request(f"data/{name}", "POST", large, ca_file=ca_file).status == 200

    with Crowd(agent.repository, name, ca_file=ca_file) as crowd:
        crowded = resident_mebibytes(server.process.pid)
        (world.room / "source" / "new").write_bytes(os.urandom(8 << 20))
        agent.run("backup").expect(0)
        after = resident_mebibytes(server.process.pid)
        assert crowd.still_there() == 2000
        print(f"{transport}: {crowded:.1f} MiB with the crowd, {after:.1f} MiB after the backup")
        # A sanitizer's own memory is several times that of the program; under it the crowd alone is the test.
        if "ASAN_OPTIONS" not in os.environ:
            assert max(crowded, after) < most_mebibytes
    assert server.running and "cannot accept" not in server.log
    assert len(agent.ask("snapshots")) == 2
