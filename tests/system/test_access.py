"""Who gets in: credentials that are known and then revoked, guessing, and the credentials an administrator makes."""

import threading
import time

from harness import net
from harness.fleet import Fleet


def status(fleet, secret=None, **headers):
    repository = fleet.repository
    return net.request(repository.url + "config", "HEAD",
                       headers={**net.basic(repository.user, secret or repository.secret), **headers}).status


def test_a_revocation_from_another_process_holds_within_a_second(fleet):
    """While a client asks without a pause, so that its credential is known at every moment."""
    answers = []
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            answers.append((time.monotonic(), status(fleet)))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        time.sleep(1)
        fleet.server.admin("device", "revoke", fleet.device).expect(0)
        revoked = time.monotonic()
        time.sleep(1.5)
    finally:
        stop.set()
        asking.join()
    assert {s for at, s in answers if at < revoked - 1} <= {200}
    late = [s for at, s in answers if at > revoked + 1]
    assert late and set(late) == {401}


def guess_until_refused(fleet, **headers):
    answers = [status(fleet, f"{number:064x}", **headers) for number in range(6)]
    assert answers == [401] * 5 + [429], answers


def test_guessing_is_slowed_and_locks_nobody_out(world):
    # As behind a proxy on this host, so that there are several sources.
    server = world.server(options=["--trusted-proxy", "127.0.0.1"])
    fleet, other = Fleet(server), Fleet(server)
    server.stop()
    server.restart()  # what it knew of its devices is forgotten
    guess_until_refused(fleet, **{"X-Forwarded-For": "192.0.2.7"})
    refused = fleet.repository.request("config", headers={"X-Forwarded-For": "192.0.2.7"})
    assert refused.status == 429 and refused.problem["type"] == "too-many-attempts"
    assert int(refused.headers["retry-after"]) >= 1
    assert status(other, **{"X-Forwarded-For": "192.0.2.7"}) == 200, "another account from the same address"
    assert status(fleet, **{"X-Forwarded-For": "192.0.2.8"}) == 200, "the device from its own address"
    guess_until_refused(fleet, **{"X-Forwarded-For": "192.0.2.9"})
    assert status(fleet, **{"X-Forwarded-For": "192.0.2.9"}) == 200, "the device beside the guesser, once it was in"
    assert server.log.count("192.0.2.7") == 5, "a guesser does not fill the log"


def test_without_a_trusted_proxy_nobody_chooses_his_address(fleet):
    for number in range(5):
        assert status(fleet, f"{number:064x}", **{"X-Forwarded-For": f"192.0.2.{number}"}) == 401
    assert status(fleet, "f" * 64, **{"X-Forwarded-For": "192.0.2.9"}) == 429
