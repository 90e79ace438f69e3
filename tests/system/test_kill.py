"""Programs that are killed in the middle of their work leave nothing that the next run cannot put right."""

import signal
import socket
import urllib.parse

from harness import net, programs, trees

MEBIBYTE = 1 << 20


def assert_each_once(reports):
    identities = [r["report_id"] for r in reports]
    assert len(set(identities)) == len(identities)
    runs = [(r["job"], r["started_at"]) for r in reports]
    assert len(set(runs)) == len(runs), f"a run was reported twice: {runs}"


def test_server_killed_in_the_middle_of_an_upload(world, restic):
    server = world.server(serve=False)
    # The repository is reached through a slow line, the device API directly.
    line = world.tcp_proxy(server.port, rate=6 * MEBIBYTE)
    server.start("--public-url", line.url)
    source = world.folder()
    trees.make_bulk(source / "bulk", 40)
    agent = world.enrolled(server, restic, source)
    assert f":{line.port}/" in agent.repository.address

    running = agent.begin("backup")
    programs.wait_until(lambda: line.bytes_up > 8 * MEBIBYTE, "an upload under way")
    server.kill()
    assert running.poll() is None, "the backup was to be under way when the server was killed"
    server.start("--public-url", line.url)
    line.rate = None
    first = agent.finish(running)
    assert first.code in (0, 1, 7), first.text

    agent.repository.assert_whole()
    agent.run("backup").expect(0)
    agent.repository.assert_whole()
    agent.plain_restic().check()
    assert not any("tmp" in path for path in server.stored_files()), "what was half received is swept"

    reports = server.reports(device=agent.device_id)
    assert_each_once(reports)
    assert len(reports) == 2 and agent.spooled() == []
    newest = max(reports, key=lambda r: r["started_at"])
    assert newest["status"] == "success"
    target = world.room / "restored"
    agent.run("restore", "latest", "--target", target).expect(0)
    trees.assert_same(source, trees.below(target, source))


def test_agent_killed_in_the_middle_of_a_backup(world, restic):
    server = world.server(policy={"restic": {"limit_upload_kib": 4096}})
    source = world.folder()
    trees.make_bulk(source / "bulk", 40)
    agent = world.enrolled(server, restic, source)

    running = agent.begin("backup")
    programs.wait_until(lambda: any("/data/" in f for f in server.stored_files()), "the first pack on the server")
    assert agent.marker, "a run under way is marked"
    agent.kill(running)
    assert agent.marker, "the marker of a killed run stays for the next one to find"
    assert server.reports(device=agent.device_id) == [] and agent.spooled() == []
    agent.repository.assert_whole()

    server.policy("acme", {"include": [], "retention": {"keep_last": 5, "prune": True}})
    agent.run("backup").expect(0)
    assert agent.marker is None

    reports = server.reports(device=agent.device_id)
    assert_each_once(reports)
    assert len(reports) == 2
    killed, good = sorted(reports, key=lambda r: r["started_at"])
    assert (killed["job"], killed["status"], killed["outcome"]) == ("backup", "failure", "interrupted")
    assert (good["job"], good["status"]) == ("backup", "success")

    agent.run("backup").expect(0)
    assert len(server.reports(device=agent.device_id)) == 3, "the killed run is reported once, not again and again"
    # The killed restic left its lock: thinning out needs the repository for itself and has to get over it.
    agent.run("retention").expect(0)
    agent.repository.assert_whole()
    agent.plain_restic().check()


def test_server_killed_after_it_answered_has_the_report(world, server, restic):
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    server.kill()
    server.restart()
    assert [r["job"] for r in server.reports(device=agent.device_id)] == ["backup"]
    agent.run("backup").expect(0)
    assert len(agent.ask("snapshots")) == 2


def test_interrupted_backup_tidies_up_and_says_so(world, restic):
    """Ctrl-C: restic takes its lock away, the run is reported, and the exit code is the shell's."""
    server = world.server(policy={"restic": {"limit_upload_kib": 2048}})
    source = world.folder()
    trees.make_bulk(source / "bulk", 30)
    agent = world.enrolled(server, restic, source)
    running = agent.begin("backup")
    programs.wait_until(lambda: any("/data/" in f for f in server.stored_files()), "the first pack on the server")
    running.send_signal(signal.SIGINT)
    agent.finish(running, limit=180).expect(130)
    assert agent.repository.names("locks") == {}
    assert agent.marker is None
    assert agent.state("backup")["status"] == "failure"
    report, = server.reports(device=agent.device_id)
    assert (report["status"], report["outcome"]) == ("failure", "interrupted")


def test_an_upload_that_is_cut_off_leaves_nothing(world, server, restic):
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    before, listed = server.stored_files(), agent.repository.everything()
    repository = agent.repository
    parts = urllib.parse.urlsplit(repository.url)
    head = f"POST {parts.path}data/{'a' * 64} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {8 * MEBIBYTE}\r\n"
    head += f"Authorization: {net.basic(repository.user, repository.secret)['Authorization']}\r\n\r\n"
    with socket.create_connection((parts.hostname, parts.port)) as line:
        line.sendall(head.encode() + bytes(3 * MEBIBYTE))
        programs.wait_until(lambda: len(server.stored_files()) > len(before), "the upload's temporary file")
        assert repository.everything() == listed, "what is half received is not listed"
    programs.wait_until(lambda: server.stored_files() == before, "the temporary file of a cut upload to go away")
