"""The real xentz-server: made, served, stopped, killed, and administered from its host."""

import copy
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

from . import net, programs

READY = re.compile(r"ready on (https?://\S+)")


class Server:
    """`storage_address` names another place for the repositories than a folder of its own."""

    def __init__(self, room, name="server", *, port=None, options=(), init_options=(), environment=None, database=None,
                 storage_address=None):
        self.room = pathlib.Path(room)
        self.ca_file = None  # of those who vouch for `url`, where it is https and not of the system's authorities
        self.data_dir = self.room / f"{name}-data"
        # Outside the data folder, as on a machine whose backups have a disk of their own.
        self.storage = self.room / f"{name}-storage"
        self.storage_address = storage_address or f"file:{self.storage}"
        self.port = port or net.free_port()
        self.options = list(options)
        self.environment = programs.clean_environment(**(environment or {}))
        self.database = database
        self.log = ""  # what `serve` wrote
        self.ready_lines = []
        self.url = None
        self.process = None
        self._readers = []
        self.init_outcome = self._init(init_options)

    def _init(self, options):
        return self.admin("init", *options).expect(0)

    def twin(self, name):
        """One more server of the same installation, as on another host: of the first one's data folder it has the
        master key alone. Database and storage have to be elsewhere."""
        made = copy.copy(self)
        made.data_dir = self.room / f"{name}-data"
        made.data_dir.mkdir(0o700)
        shutil.copy(self.data_dir / "master.key", made.data_dir)
        made.port, made.log, made.ready_lines = net.free_port(), "", []
        made.url = made.process = None
        return made

    # ---- serving

    def start(self, *more, listen=None):
        """Serves and returns once the server says that it is ready."""
        self.begin(*more, listen=listen)
        programs.wait_until(
            lambda: self.url or self.process.poll() is not None, f"the ready line\n{self.log}", limit=60
        )
        assert self.url, f"the server ended with {self.process.wait()} instead of serving:\n{self.log}"
        return self

    def begin(self, *more, listen=None):
        self.url = None
        args = [programs.program("xentz-server"), "serve", "--data-dir", self.data_dir]
        args += ["--storage", self.storage_address, "--listen", listen or f"127.0.0.1:{self.port}"]
        args += ["--database", self.database] if self.database else []
        args = [str(a) for a in [*args, *self.options, *more]]
        self.process = programs.begin(args, self.environment)
        self._readers = [
            threading.Thread(target=self._read, args=(stream, stream is self.process.stdout), daemon=True)
            for stream in (self.process.stdout, self.process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, is_out):
        for raw in stream:
            line = raw.decode("utf-8", "backslashreplace")
            self.log += line
            found = READY.search(line)
            if found and is_out:
                self.ready_lines.append(line)
                self.url = found.group(1).rstrip("/")

    def wait(self, limit=60):
        """The exit code, once the server has ended and all that it wrote is in `log`."""
        code = self.process.wait(limit)
        for reader in self._readers:
            reader.join(10)
        return code

    def stop(self, limit=60):
        """A clean stop; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(limit)

    def kill(self):
        self.process.kill()
        self.wait(30)

    def restart(self):
        return self.start()

    def close(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.wait(30)

    @property
    def running(self):
        return self.process.poll() is None

    # ---- administration on the server's host

    def admin(self, *args, limit=120):
        where = ["--data-dir", self.data_dir]
        where += ["--database", self.database] if self.database else []
        if args[0] in ("init", "repo", "restore", "import", "storage"):
            where += ["--storage", self.storage_address]
        return programs.run([programs.program("xentz-server"), *args, *where], self.environment, limit)

    def ask(self, *args):
        """An administration command that has to succeed, and what it prints as JSON."""
        return self.admin(*args, "--json").expect(0).data

    def tenant(self, name):
        return self.ask("tenant", "create", name)

    def token(self, tenant, **options):
        flags = [text for key, value in options.items() for text in (f"--{key}", str(value))]
        return self.ask("token", "create", "--tenant", tenant, *flags)["token"]

    def policy(self, tenant, document, name="default"):
        """Excludes nothing unless told: the default policy leaves temporary folders out, and the tests live in one."""
        file = self.room / f"policy-{tenant}-{name}.json"
        file.write_text(json.dumps({"exclude": [], **document}))
        self.admin("policy", "apply", file, "--tenant", tenant, "--name", name).expect(0)

    def devices(self):
        return self.ask("device", "list")

    def reports(self, device=None, job=None):
        flags = (["--device", device] if device else []) + (["--job", job] if job else [])
        return self.ask("report", "list", "--limit", "1000", *flags)

    def master_key(self):
        """The key's text: the file below the data folder that holds 64 hex digits and nothing else."""
        for path in self.data_dir.rglob("*"):
            if path.is_file() and path.stat().st_size < 100:
                text = path.read_bytes().strip()
                if re.fullmatch(rb"[0-9a-f]{64}", text):
                    return text.decode()
        raise AssertionError(f"no master key below {self.data_dir}")

    # ---- its disk

    def objects(self, kind):
        """The files of the present objects of that type, sorted."""
        found = self.storage.rglob(f"{kind}/**/*")
        return sorted(p for p in found if p.is_file() and len(p.name) == 64 and "trash" not in p.parts)

    def stored_files(self):
        """Every file on the storage but what marks the storage itself, by path."""
        return sorted(str(p.relative_to(self.storage)) for p in self.storage.rglob("*") if p.is_file())


class Repository:
    """A device's repository as restic sees it: over HTTP with the credentials of its address."""

    def __init__(self, address, ca_file=None):
        found = re.fullmatch(r"rest:(https?)://([^:@/]+):([^@/]+)@([^/]+)(/.*/)", address)
        assert found, f"{address!r} is no repository address as the contract has it"
        self.address = address
        self.scheme, self.user, self.secret, self.host, self.path = found.groups()
        self.url = f"{self.scheme}://{self.host}{self.path}"
        self.headers = net.basic(self.user, self.secret)
        self.ca_file = ca_file

    def request(self, rest, method="GET", body=None, headers=None, **options):
        headers = {**self.headers, **(headers or {})}
        return net.request(self.url + rest, method, body, headers, **{"ca_file": self.ca_file, **options})

    def names(self, kind):
        answer = self.request(f"{kind}/", headers={"Accept": "application/vnd.x.restic.rest.v2"})
        if answer.status == 404:
            return {}
        assert answer.status == 200, answer
        return {entry["name"]: entry["size"] for entry in answer.data}

    def everything(self):
        return {(kind, name): size for kind in ("data", "keys", "locks", "snapshots", "index")
                for name, size in self.names(kind).items()}

    def assert_whole(self):
        """What is listed is named by a hash, has the listed size, and has that hash."""
        listed = self.everything()
        for (kind, name), size in listed.items():
            assert re.fullmatch("[0-9a-f]{64}", name), f"{kind}/{name} is listed"
            answer = self.request(f"{kind}/{name}")
            assert (answer.status, len(answer.body)) == (200, size), f"{kind}/{name}: {answer.status}"
            assert hashlib.sha256(answer.body).hexdigest() == name, f"{kind}/{name} does not hold what its name says"
        return listed


class Restic:
    """The plain restic on a repository, beside the agent."""

    def __init__(self, program, room, address, password, ca_file=None):
        self.program = program
        self.options = ["--cacert", str(ca_file)] if ca_file else []
        self.room = pathlib.Path(room) / f"restic-{time.monotonic_ns()}"
        self.room.mkdir()
        (self.room / "address").write_text(address)
        (self.room / "password").write_text(password)
        self.environment = programs.clean_environment(
            RESTIC_REPOSITORY_FILE=self.room / "address",
            RESTIC_PASSWORD_FILE=self.room / "password",
            RESTIC_CACHE_DIR=self.room / "cache",
            HOME=self.room,
            TMPDIR=self.room,
        )

    def run(self, *args, limit=programs.PATIENCE):
        return programs.run([self.program, *self.options, *args], self.environment, limit)

    def begin(self, *args, **options):
        return programs.begin([self.program, *self.options, *map(str, args)], self.environment, **options)

    def snapshots(self):
        return self.run("snapshots", "--json", "--no-lock").expect(0).data

    def check(self):
        """Reads every byte. Locks of runs that were killed on purpose are removed first: check needs the repository
        for itself."""
        self.run("unlock").expect(0)
        outcome = self.run("check", "--read-data").expect(0)
        assert "no errors were found" in outcome.out, outcome.text

    def hold_lock(self):
        """A live process that holds the repository's shared lock until it is ended with `release`."""
        holder = self.begin("backup", "--stdin", "--stdin-filename", "held", stdin=subprocess.PIPE)
        programs.wait_until(lambda: self.run("list", "locks", "--no-lock").out.strip(), "the lock of a running restic")
        return holder

    @staticmethod
    def release(holder):
        holder.kill()
        holder.communicate(timeout=30)
