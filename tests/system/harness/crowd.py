"""Many clients at once that want next to nothing: some idle, some send slowly, some read slowly."""

import os
import resource
import socket
import ssl
import threading
import urllib.parse


def allow_many_files():
    """A crowd needs as many connections here as at the server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Crowd:
    """`with Crowd(repository): ...`: all are there when the block begins. `object_name` is a large object to read."""

    STEP = 1024  # bytes, each half second

    def __init__(self, repository, object_name, *, idle=2000, writers=50, readers=50, ca_file=None):
        parts = urllib.parse.urlsplit(repository.url)
        self.where = (parts.hostname, parts.port)
        self.path = parts.path
        self.authorization = repository.headers["Authorization"]
        self.object_name = object_name
        self.counts = {"idle": idle, "writers": writers, "readers": readers}
        self.trust = ssl.create_default_context(cafile=ca_file) if ca_file else None
        self.idle, self.writers, self.readers = [], [], []
        self._end = threading.Event()
        self._ticking = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self):
        allow_many_files()
        for _ in range(self.counts["idle"]):
            self.idle.append(self._served(self._connect()))
        for number in range(self.counts["writers"]):
            line = self._connect()
            self._send_head(line, "POST", f"data/{number:064x}", length=16 << 20)
            self.writers.append(line)
        for _ in range(self.counts["readers"]):
            line = self._connect(receive_buffer=4096)
            self._send_head(line, "GET", f"data/{self.object_name}")
            self.readers.append(line)
        self._ticking.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._ticking.join()
        for line in self.everybody():
            line.close()

    def everybody(self):
        return [*self.idle, *self.writers, *self.readers]

    def still_there(self):
        """How many of the idle ones the server serves when they ask again."""
        return sum(self._served(line) is line for line in self.idle)

    def _connect(self, receive_buffer=None):
        line = socket.socket()
        if receive_buffer:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        line.settimeout(60)
        line.connect(self.where)
        return self.trust.wrap_socket(line, server_hostname=self.where[0]) if self.trust else line

    def _send_head(self, line, method, rest, length=None):
        fields = [f"{method} {self.path}{rest} HTTP/1.1", "Host: crowd", f"Authorization: {self.authorization}"]
        fields += [f"Content-Length: {length}"] if length is not None else []
        line.sendall(("\r\n".join(fields) + "\r\n\r\n").encode())

    def _served(self, line):
        self._send_head(line, "HEAD", "config")
        received = b""
        while b"\r\n\r\n" not in received:
            more = line.recv(4096)
            assert more, "the server hung up"
            received += more
        assert received.startswith(b"HTTP/1.1 200"), received
        return line

    def _tick(self):
        piece = os.urandom(self.STEP)
        while not self._end.wait(0.5):
            for line in self.writers:
                line.sendall(piece)
            for line in self.readers:
                line.recv(self.STEP)
