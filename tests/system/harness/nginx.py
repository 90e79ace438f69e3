"""A real nginx before two servers, set as docs/operations.md has it: what is written there is what is tested."""

import collections
import pathlib
import re
import socket
import subprocess

from . import programs

MANUAL = pathlib.Path(__file__).parents[3] / "docs" / "operations.md"
PROGRAM = "/usr/sbin/nginx"

# Round the manual's text: a process that ends with its test, and everything that it writes below one folder. One
# process instead of a master and workers, so that a killed test leaves none of them.
FRAME = """
daemon off;
master_process off;
pid {room}/pid;
error_log {room}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {room}/body;
    proxy_temp_path {room}/proxy;
    fastcgi_temp_path {room}/fastcgi;
    uwsgi_temp_path {room}/uwsgi;
    scgi_temp_path {room}/scgi;
    log_format fields '$request_method|$request_uri|$status|$content_length|$upstream_status|$request_time';
    access_log {room}/access.log fields;
{site}
}}
"""

Request = collections.namedtuple("Request", "method path status length upstream seconds")


def manual_text():
    """The configuration in the manual."""
    found = re.findall(r"^```nginx\n(.*?)^```$", MANUAL.read_text(), re.M | re.S)
    assert len(found) == 1, f"{MANUAL} has {len(found)} configurations of nginx"
    return found[0]


def _replaced(text, pairs):
    for old, new in pairs:
        assert old in text, f"the configuration in the manual has no {old!r}"
        text = text.replace(old, str(new))
    return text


class Nginx:
    """Listens on `port` of 127.0.0.1 with TLS. Of the manual's text only addresses and files are replaced."""

    def __init__(self, room, port, ports, key, certificate):
        self.room = pathlib.Path(room) / "nginx"
        self.room.mkdir()
        self.url = f"https://127.0.0.1:{port}"
        self._port = port
        site = _replaced(manual_text(), [
            ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
            ("192.0.2.11:8080", f"127.0.0.1:{ports[0]}"),
            ("192.0.2.12:8080", f"127.0.0.1:{ports[1]}"),
            ("/etc/nginx/backup.example.com.pem", certificate),
            ("/etc/nginx/backup.example.com.key", key),
        ])
        (self.room / "nginx.conf").write_text(FRAME.format(room=self.room, site=site))
        (self.room / "access.log").touch()
        self._process = programs.begin(
            [PROGRAM, "-p", str(self.room), "-c", str(self.room / "nginx.conf"), "-e", str(self.room / "error.log")],
            programs.clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        programs.wait_until(self._answers, "nginx to listen", limit=20)

    def _answers(self):
        assert self._process.poll() is None, f"nginx ended:\n{self.errors}"
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=5).close()
        except OSError:
            return False
        return True

    def close(self):
        self._process.kill()
        self._process.wait(30)

    @property
    def errors(self):
        log = self.room / "error.log"
        return log.read_text() if log.exists() else ""

    def requests(self):
        """Everything that it has answered, in the order in which it had."""
        lines = (self.room / "access.log").read_text().splitlines()
        return [Request(method, path, int(status), 0 if length == "-" else int(length), upstream, float(seconds))
                for method, path, status, length, upstream, seconds in (line.split("|") for line in lines)]
