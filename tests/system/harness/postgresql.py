"""A PostgreSQL database of one's own."""

import contextlib
import os
import pathlib
import subprocess
import urllib.parse

TOOL = pathlib.Path(__file__).parents[2] / "support" / "postgresql"


def rows(url, statement):
    """What a statement answers: a list of texts for each row."""
    command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement]
    out = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout
    return [line.split("\t") for line in out.splitlines()]


@contextlib.contextmanager
def a_database(room):
    """An empty one: on the server that XENTZ_TEST_POSTGRESQL names, else on one that is started for the test."""
    url = os.environ.get("XENTZ_TEST_POSTGRESQL")
    started = None
    if not url:
        room.chmod(0o755)
        started = room / "postgresql"
        made = subprocess.run([TOOL, "start", started], capture_output=True, text=True, timeout=120, check=True)
        url = made.stdout.strip().splitlines()[-1]
    name = f"system_{os.getpid()}_{room.name[-8:].lower()}"
    rows(url, f'create database "{name}"')
    parts = urllib.parse.urlsplit(url)
    try:
        yield urllib.parse.urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        if started:
            subprocess.run([TOOL, "stop", started], check=True, timeout=60, stdout=subprocess.DEVNULL)
        else:
            rows(url, f'drop database "{name}" with (force)')
