"""A real object store: the bucket that XENTZ_TEST_S3 names, else one of a store that is started for the test."""

import contextlib
import os
import pathlib
import re
import subprocess

TOOL = pathlib.Path(__file__).parents[2] / "support" / "object_store"


class Bucket:
    def __init__(self, text, prefix):
        found = re.fullmatch(r"s3://([^:@]+):([^@]+)@([^/?]+)\?endpoint=http://127\.0\.0\.1:(\d+)(&.*)?", text)
        assert found, "XENTZ_TEST_S3 is no s3://ACCESS_KEY:SECRET_KEY@BUCKET?endpoint=http://127.0.0.1:PORT"
        self.access_key, self.secret_key, self.name, port, self._more = found.groups()
        self.port = int(port)
        self.prefix = prefix

    def address(self, prefix=None, port=None):
        return (f"s3://{self.name}/{prefix or self.prefix}?endpoint=http://127.0.0.1:{port or self.port}"
                f"{self._more or ''}")

    @property
    def environment(self):
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def request(self, method, key, query="", body=None):
        """Past the server: by curl, which signs."""
        command = ["curl", "-sS", "--fail", "--max-time", "60", "-X", method, "--aws-sigv4", "aws:amz:us-east-1:s3",
                   "--user", f"{self.access_key}:{self.secret_key}", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
        command += ["--data-binary", "@-"] if body is not None else []
        url = f"http://127.0.0.1:{self.port}/{self.name}{f'/{self.prefix}/{key}' if key else ''}{query}"
        return subprocess.run([*command, url], check=True, timeout=90, capture_output=True, input=body).stdout

    def keys(self, below=""):
        """Of all objects, below the prefix."""
        found, after = [], f"{self.prefix}/{below}"
        query = f"?list-type=2&prefix={after.replace('/', '%2F')}"
        while True:
            text = self.request("GET", "", f"{query}&start-after={after.replace('/', '%2F')}").decode()
            page = re.findall("<Key>([^<]*)</Key>", text)
            found += [key.removeprefix(self.prefix + "/") for key in page]
            if "<IsTruncated>false" in text:
                return found
            after = page[-1]


@contextlib.contextmanager
def a_bucket(room):
    text = os.environ.get("XENTZ_TEST_S3")
    started = None
    if not text:
        started = room / "object-store"
        made = subprocess.run([TOOL, "start", started], capture_output=True, text=True, timeout=120, check=True)
        text = made.stdout.strip().splitlines()[-1]
    try:
        yield Bucket(text, f"system-{os.getpid()}-{room.name[-8:].lower().strip('_-')}")
    finally:
        if started:
            subprocess.run([TOOL, "stop", started], check=True, timeout=60, stdout=subprocess.DEVNULL)
