"""The servers that are compared, each with one empty repository in a folder of its own, on the same file system, with a
credential that it asks for. Nothing is switched on or off in the peers: what they do, they do by default."""

import base64
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from harness import net, programs
from harness.fleet import Fleet
from harness.server import Repository, Server

USER, SECRET = "bench", "a secret of the bench"


class Xentz:
    name = "xentz-server"
    program = "xentz-server"

    def __init__(self, room, tls=None):
        # What the scrub reads is not what a request costs.
        options = ["--scrub-rate", "0"]
        options += ["--tls-key", tls[0], "--tls-cert", tls[1]] if tls else []
        self.server = Server(room, options=options)
        self.server.tenant("acme")
        self.server.policy("acme", {})
        self.server.start()
        self.repository = Fleet(self.server, tls and tls[1], fill=False).repository
        self.repository.ca_file = tls and tls[1]
        _create(self.repository)

    @property
    def pid(self):
        return self.server.process.pid

    @property
    def data(self):
        (repository,) = (self.server.storage / "repositories").iterdir()
        return repository / "data"

    def stop(self):
        assert self.server.stop() == 0, self.server.log

    def again(self):
        """After files were put there without it. When it starts it enters each into its journal, one transaction after
        the other, which would take long on a disk: meanwhile the database lies in memory, and then where it was."""
        home = self.server.data_dir
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            _move_files(home, memory)
            home.rmdir()
            home.symlink_to(memory)
            self.server.start()
            programs.wait_until(lambda: "differed from its journal" in self.server.log, "the files to be taken in",
                                limit=3600, pause=0.2)
            self.stop()
            home.unlink()
            home.mkdir(mode=0o700)
            _move_files(memory, home)
        self.server.start()

    def close(self):
        self.server.close()


class _Program:
    """One that serves a folder and says nothing when it is ready."""

    inner = "bench"  # the repository's folder in the served one

    def __init__(self, room, tls=None):
        self.room, self.tls = room, tls
        self.folder = room / "storage"
        self.folder.mkdir()
        self.port = net.free_port()
        scheme = "https" if tls else "http"
        secret = SECRET.replace(" ", "-")
        self.repository = Repository(f"rest:{scheme}://{USER}:{secret}@127.0.0.1:{self.port}/bench/",
                                     ca_file=tls and tls[1])
        self.process = None
        self._begin()
        _create(self.repository)

    @property
    def pid(self):
        return self.process.pid

    @property
    def data(self):
        return self.folder / self.inner / "data"

    def again(self):
        self._begin()

    def _begin(self):
        with (self.room / "log").open("ab") as log:
            self.process = programs.begin([str(word) for word in self.command()],
                                          programs.clean_environment(HOME=self.room), stdout=log, stderr=log)
        programs.wait_until(self._answers, f"{self.name} to listen; it said\n{(self.room / 'log').read_text()}")

    def _answers(self):
        assert self.process.poll() is None, f"{self.name} ended: {(self.room / 'log').read_text()}"
        try:
            return self.repository.request("config", "HEAD", limit=5).status
        except OSError:
            return None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)


class Floor(_Program):
    name = "floor"
    program = "bench_repo_floor"
    inner = "."

    def command(self):
        return [programs.program(self.program), self.port, self.folder, self.repository.headers["Authorization"],
                *([self.tls[1], self.tls[0]] if self.tls else [])]


class RestServer(_Program):
    name = "rest-server"

    @classmethod
    def found(cls):
        return shutil.which("rest-server") or shutil.which("restic-rest-server")

    @classmethod
    def version(cls):
        return _first_line([cls.found(), "--version"])

    def command(self):
        # The cheapest kind of entry that it knows; it also remembers who was let in.
        digest = base64.b64encode(hashlib.sha1(self.repository.secret.encode()).digest()).decode()
        passwords = self.room / "htpasswd"
        passwords.write_text(f"{USER}:{{SHA}}{digest}\n")
        tls = ["--tls", "--tls-key", self.tls[0], "--tls-cert", self.tls[1]] if self.tls else []
        return [self.found(), "--listen", f"127.0.0.1:{self.port}", "--path", self.folder,
                "--htpasswd-file", passwords, *tls]


class Rclone(_Program):
    name = "rclone"

    @classmethod
    def found(cls):
        return shutil.which("rclone")

    @classmethod
    def version(cls):
        return _first_line([cls.found(), "version"])

    def command(self):
        tls = ["--key", self.tls[0], "--cert", self.tls[1]] if self.tls else []
        return [self.found(), "serve", "restic", "--config", self.room / "no-config", "--addr",
                f"127.0.0.1:{self.port}", "--user", USER, "--pass", self.repository.secret, *tls, self.folder]


def _move_files(source, target):
    for path in pathlib.Path(source).iterdir():
        shutil.move(path, target)


def _create(repository):
    answer = repository.request("?create=true", "POST")
    assert answer.status == 200, answer


def _first_line(command):
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    return told.stdout.splitlines()[0]


PEERS = (RestServer, Rclone)
EVERY = (Xentz, Floor, *PEERS)
