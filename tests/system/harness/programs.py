"""Where the programs under test are, how they are run, and what they must never inherit."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

# Sanitizers are steered through the environment, so a clean one still has to carry these.
_CARRIED = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")

# Sanitized programs are several times slower; a limit here only catches what hangs.
PATIENCE = 600


def program(name):
    """The program of the build under test (XENTZ_BIN_DIR)."""
    folder = os.environ.get("XENTZ_BIN_DIR")
    assert folder, "XENTZ_BIN_DIR names the folder of xentz-agent and xentz-server: run these tests through ctest"
    found = pathlib.Path(folder).resolve() / name
    assert found.is_file(), f"{found} does not exist: build it first"
    return str(found)


def restic_programs():
    """The packaged restic and whatever else XENTZ_TEST_RESTICS names (separated by colons), each once."""
    packaged = shutil.which("restic", path="/usr/local/bin:/usr/bin:/bin")
    named = [p for p in os.environ.get("XENTZ_TEST_RESTICS", "").split(":") if p]
    found = []
    for path in ([packaged] if packaged else []) + named:
        assert os.access(path, os.X_OK), f"{path} is no program"
        if os.path.realpath(path) not in [os.path.realpath(p) for p in found]:
            found.append(path)
    assert found, "no restic on the PATH and none in XENTZ_TEST_RESTICS"
    return found


def restic_version(path):
    answer = subprocess.run([path, "version"], capture_output=True, text=True, timeout=60, check=True)
    return answer.stdout.split()[1]


def clean_environment(**more):
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    environment.update({name: os.environ[name] for name in _CARRIED if name in os.environ})
    environment.update({name: str(value) for name, value in more.items()})
    return environment


@dataclass
class Outcome:
    """What a finished command did."""

    args: list
    code: int
    out: str
    err: str
    seconds: float = 0.0

    @property
    def text(self):
        return self.out + self.err

    @property
    def data(self):
        """What --json printed."""
        return json.loads(self.out)

    def expect(self, *codes):
        assert self.code in (codes or (0,)), (
            f"{' '.join(self.args)}\nended {self.code}, expected {' or '.join(map(str, codes or (0,)))}\n"
            f"--- output\n{self.out}\n--- errors\n{self.err}"
        )
        return self


def finish(process, args, limit=PATIENCE, started=None):
    """Waits for a process made by `begin`; one that hangs fails the test and is ended with all its children."""
    started = started or time.monotonic()
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(
            f"{' '.join(args)}\nhad not ended after {limit} s\n--- output\n{_text(out)}\n--- errors\n{_text(err)}"
        ) from None
    return Outcome(args, process.returncode, _text(out), _text(err), time.monotonic() - started)


def begin(args, environment, **options):
    """A child in a process group of its own that ends with this process, so that nothing survives a failed test."""
    return subprocess.Popen(
        ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--", *args],
        env=environment,
        stdin=options.pop("stdin", subprocess.DEVNULL),
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=options.pop("stderr", subprocess.PIPE),
        start_new_session=True,
        **options,
    )


def run(args, environment, limit=PATIENCE, **options):
    args = [str(a) for a in args]
    started = time.monotonic()
    return finish(begin(args, environment, **options), args, limit, started)


def _text(raw):
    return raw.decode("utf-8", "backslashreplace") if raw else ""


def wait_until(condition, what, limit=60, pause=0.02):
    """Polls until the condition is true and returns its value; fails the test with `what` after the limit."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise AssertionError(f"waited {limit} s in vain for: {what}")


def children_of(pid):
    """The processes below a process, as they are now."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            numbers = task.read_text().split()
        except OSError:
            continue
        for number in map(int, numbers):
            found += [number, *children_of(number)]
    return found


class ProcessWatch:
    """Reads every process's command line, and the environment of those that run `watched`, again and again while
    a test's programs work."""

    def __init__(self, watched):
        self.command_lines = set()
        self.environments = set()
        self._watched = os.path.basename(watched)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _loop(self):
        while not self._stop.is_set():
            for folder in os.listdir("/proc"):
                if folder.isdigit():
                    self._look(folder)
            time.sleep(0.01)

    def _look(self, pid):
        try:
            line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            self.command_lines.add(line)
            if os.path.basename(line.split(b"\0")[0]).decode("utf-8", "replace") == self._watched:
                self.environments.add(pathlib.Path(f"/proc/{pid}/environ").read_bytes())
        except OSError:
            pass  # it has ended meanwhile
