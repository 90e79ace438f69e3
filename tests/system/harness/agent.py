"""The real xentz-agent with a home of its own."""

import json
import os
import pathlib
import signal

from . import programs
from .server import Repository, Restic


class Agent:
    def __init__(self, room, restic, name="agent", *, user=None, binary=None, environment=None):
        self.room = pathlib.Path(room) / name
        self.room.mkdir()
        self.home = self.room / "home" / ".xentz-agent"
        self.home.parent.mkdir()
        self.restic = restic
        self.binary = str(binary or programs.program("xentz-agent"))
        self.identity = {"user": user, "group": user, "extra_groups": []} if user else {}
        if user:
            for folder in (self.room, self.home.parent):
                os.chown(folder, user, user)
        self.environment = programs.clean_environment(
            HOME=self.home.parent, XENTZ_AGENT_HOME=self.home, XENTZ_RESTIC=restic, **(environment or {})
        )
        self.transcript = ""

    # ---- running it

    def run(self, *args, limit=programs.PATIENCE, environment=None, **options):
        command = [self.binary, *map(str, args)]
        outcome = programs.run(command, {**self.environment, **(environment or {})}, limit, **self.identity, **options)
        self.transcript += f"$ xentz-agent {args[0]}\n{outcome.text}"
        return outcome

    def begin(self, *args):
        return programs.begin([self.binary, *map(str, args)], self.environment, **self.identity)

    def finish(self, process, limit=programs.PATIENCE):
        outcome = programs.finish(process, ["xentz-agent"], limit)
        self.transcript += outcome.text
        return outcome

    def kill(self, process):
        """SIGKILL to the agent alone, as the kernel does when memory is short; restic is left to its fate. Returns
        once whatever the agent had started has ended too."""
        below = programs.children_of(process.pid)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        programs.wait_until(
            lambda: not any(_alive(pid) for pid in below), "the restic of a killed agent to end too", limit=90
        )

    def install(self, url, token, *include, expect=(0,), options=()):
        flags = [text for path in include for text in ("--include", str(path))]
        return self.run(
            "install", "--server", url, "--scheduler", "none", *flags, *options,
            environment={"XENTZ_INSTALL_TOKEN": token},
        ).expect(*expect)

    def ask(self, *args):
        """A command that has to succeed, and what it prints as JSON."""
        return self.run(*args, "--json").expect(0).data

    # ---- what it keeps

    @property
    def config(self):
        return json.loads((self.home / "config.json").read_text())

    @config.setter
    def config(self, value):
        (self.home / "config.json").write_text(json.dumps(value))

    @property
    def device_id(self):
        return self.config["device_id"]

    @property
    def device_key(self):
        return self.config["device_api_key"]

    @property
    def password(self):
        return pathlib.Path(self.config["restic"]["password_file"]).read_text().strip()

    @property
    def repository(self):
        return Repository(self.config["restic"]["repository"])

    def plain_restic(self, program=None):
        return Restic(program or self.restic, self.room, self.repository.address, self.password)

    def state(self, job):
        return json.loads((self.home / "state" / f"{job}.json").read_text())

    @property
    def marker(self):
        """state/running.json: there while a run is under way, and after one that was killed."""
        path = self.home / "state" / "running.json"
        return path if path.exists() else None

    def spooled(self):
        """The reports that wait to be sent, oldest first."""
        folder = self.home / "spool"
        return [json.loads(p.read_text()) for p in sorted(folder.glob("*.json"))] if folder.is_dir() else []

    def spool_names(self):
        folder = self.home / "spool"
        return sorted(p.name for p in folder.glob("*.json")) if folder.is_dir() else []

    def everything_written(self):
        """Name and text of each file that a person may look at or send to somebody: logs, states, spooled reports."""
        found = {}
        for folder in ("logs", "state", "spool"):
            for path in (self.home / folder).rglob("*"):
                if path.is_file():
                    found[str(path.relative_to(self.home))] = path.read_text(errors="replace")
        return found


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
