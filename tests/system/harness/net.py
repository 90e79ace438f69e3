"""Raw HTTP, and what can go wrong between two machines: a proxy that understands the device API and one that
only moves bytes."""

import http.client
import http.server
import json
import random
import socket
import socketserver
import ssl
import threading
import time
import urllib.parse
from base64 import b64encode
from dataclasses import dataclass, field


def free_port():
    """A port that can be bound now. It lies below the ports that outgoing connections get, so that a server may be
    stopped and started again on it."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


@dataclass
class Answer:
    status: int
    headers: dict = field(default_factory=dict)
    body: bytes = b""

    @property
    def data(self):
        return json.loads(self.body)

    @property
    def problem(self):
        """The body as RFC 9457 problem details, complete and consistent."""
        kind = self.headers.get("content-type", "")
        assert kind.split(";")[0].strip() == "application/problem+json", f"{self.status} is {kind!r}: {self.body!r}"
        found = self.data
        assert found["status"] == self.status, found
        assert found["type"] and found["type"] != "about:blank", found
        assert found.get("title"), found
        return found


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def basic(user, secret):
    return {"Authorization": "Basic " + b64encode(f"{user}:{secret}".encode()).decode()}


def request(url, method="GET", body=None, headers=None, ca_file=None, limit=60):
    """One request on a connection of its own. The path goes out exactly as written, dots and all."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        trust = ssl.create_default_context(cafile=ca_file)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=limit, context=trust)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=limit)
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target or "/", body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def oversized(url, size, headers, chunked=False):
    """Sends a body of `size` bytes as far as the server lets it, and returns the answer and how much went out."""
    parts = urllib.parse.urlsplit(url)
    head = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    head.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}")
    piece = b" " * 65536
    wrapped = b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece
    sent = 0
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as line:
        line.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        line.settimeout(0.2)
        received = b""
        while sent < size and not received:
            try:
                line.sendall(wrapped)
                sent += len(piece)
            except (TimeoutError, OSError):
                break
            line.setblocking(False)
            try:
                received += line.recv(65536)
            except OSError:
                pass
            line.settimeout(0.2)
        line.settimeout(30)
        while b"\r\n\r\n" not in received:
            more = line.recv(65536)
            assert more, f"the connection was closed without an answer after {sent} bytes"
            received += more
        fields, _, body = received.partition(b"\r\n\r\n")
        lines = fields.decode().split("\r\n")
        named = {k.lower(): v.strip() for k, _, v in (one.partition(":") for one in lines[1:])}
        while len(body) < int(named.get("content-length", 0)):
            more = line.recv(65536)
            if not more:
                break
            body += more
    return Answer(int(lines[0].split()[1]), named, body), sent


class _Quiet(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is what these tests are about


class ControlProxy:
    """Between an agent and the device API. `hook(method, path, body)` decides about each request:
    None: pass it on · "drop-answer": pass it on and hang up instead of answering · "hang-up": not even that ·
    an Answer: say that instead · a function: pass it on and let the function change the Answer. It remembers what it
    has seen unless it is to be `forgetful`."""

    def __init__(self, target, forgetful=False):
        self.target = target
        self.forgetful = forgetful
        self.port = free_port()
        self.hook = None
        self.seen = []
        self._server = None
        self.up()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def up(self):
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self):
                self.close_connection = True
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if not proxy.forgetful:
                    proxy.seen.append((self.command, self.path, dict(self.headers.items()), body))
                verdict = proxy.hook(self.command, self.path, body) if proxy.hook else None
                if verdict == "hang-up":
                    return
                if isinstance(verdict, Answer):
                    self._say(verdict)
                    return
                # What a hook is to change has to come whole, not as "unchanged".
                dropped = ("connection", "expect", "if-none-match") if callable(verdict) else ("connection", "expect")
                kept = {k: v for k, v in self.headers.items() if k.lower() not in dropped}
                answer = request(proxy.target + self.path, self.command, body or None, kept)
                if verdict != "drop-answer":
                    self._say(verdict(answer) if verdict else answer)

            def _say(self, answer):
                self.send_response_only(answer.status)  # its own Date is not the server's
                for name, value in answer.headers.items():
                    if name not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                # The answer to a HEAD has the length of a body that it does not have.
                length = answer.headers.get("content-length") if self.command == "HEAD" else None
                self.send_header("Content-Length", length or str(len(answer.body)))
                self.send_header("Connection", "close")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_GET = do_HEAD = do_POST = do_DELETE = _any

            def log_message(self, *_):
                pass

        self._server = _Quiet(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def down(self):
        """Connections are refused from here on."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    close = down

    def calls(self, method, path):
        return [entry for entry in self.seen if entry[0] == method and entry[1] == path]


class TcpProxy:
    """Moves bytes and counts those that go up. `rate` (bytes a second) slows the way up down; `cut()` breaks every
    connection; while `silent` nothing is moved."""

    def __init__(self, target_port, rate=None):
        self.target_port = target_port
        self.rate = rate
        self.silent = False
        self.bytes_up = 0
        self._live = set()
        self._lock = threading.Lock()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port = free_port()
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target_port), timeout=10)
                far.settimeout(None)
            except OSError:
                near.close()
                continue
            with self._lock:
                self._live.update((near, far))
            threading.Thread(target=self._move, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._move, args=(far, near, False), daemon=True).start()

    def _move(self, source, sink, upwards):
        try:
            while True:
                piece = source.recv(16384 if upwards and self.rate else 262144)
                while self.silent:
                    time.sleep(0.05)
                if not piece:
                    sink.shutdown(socket.SHUT_WR)
                    return
                if upwards and self.rate:
                    time.sleep(len(piece) / self.rate)
                sink.sendall(piece)
                if upwards:
                    with self._lock:
                        self.bytes_up += len(piece)
        except OSError:
            for end in (source, sink):
                self._break(end)

    def _break(self, end):
        with self._lock:
            self._live.discard(end)
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        end.close()

    def cut(self):
        for end in list(self._live):
            self._break(end)

    def close(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self.cut()
