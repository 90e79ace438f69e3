"""Certificates of their own authority for 127.0.0.1, made on the spot."""

import os
import subprocess


def make(folder, name="tls"):
    """The files of a key and its certificate."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=xentz test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    return key, certificate


def put(source, place):
    """As an ACME client does: at once, under the name that the server knows."""
    fresh = place.with_suffix(".new")
    fresh.write_bytes(source.read_bytes())
    os.replace(fresh, place)
