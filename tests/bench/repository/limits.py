"""What this machine can do at best: what hashing, encrypting, copying and syncing cost without any server."""

import os
import resource
import socket
import statistics
import subprocess
import threading
import time

GIB = 1 << 30


def told(room, mebibytes):
    lines = ["limits of this machine, each alone on it"]
    for name, block in (("sha256", 256 << 10), ("aes-128-gcm", 16 << 10)):
        rate = openssl_rate(name, block)
        lines.append(_line(f"openssl, {name}, blocks of {block >> 10} KiB", rate, 1 / rate))
    for title, run in (("loopback, sent and received", loopback), ("written and synced, new file", written)):
        seconds, cpu = run(room, mebibytes)
        lines.append(_line(title, mebibytes / 1024 / seconds, cpu / (mebibytes / 1024)))
    median, least, most = durable_small(room)
    lines.append(f"  {'4 KiB made durable, one after the other':44}{median * 1000:7.3f} ms each "
                 f"[{least * 1000:.3f} to {most * 1000:.3f}]")
    return lines


def _line(title, rate, cpu):
    return f"  {title:44}{rate:7.2f} GiB/s   {cpu:6.3f} CPU s/GiB"


def openssl_rate(name, block):
    """GiB a second. The last line of what it prints: the name, and thousands of bytes a second."""
    told = subprocess.run(["openssl", "speed", "-evp", name, "-bytes", str(block), "-seconds", "2"],
                          capture_output=True, text=True, check=True).stdout
    return float(told.split()[-1].rstrip("k")) * 1000 / GIB


def loopback(_, mebibytes):
    """One thread sends and one receives; the CPU time is that of both."""
    listener = socket.create_server(("127.0.0.1", 0))
    left, piece = mebibytes << 20, bytes(256 << 10)

    def send():
        with socket.create_connection(listener.getsockname()) as line:
            for _ in range(left // len(piece)):
                line.sendall(piece)

    sender = threading.Thread(target=send)
    before, started = time.process_time(), time.perf_counter()
    sender.start()
    line, _ = listener.accept()
    room = bytearray(256 << 10)
    while line.recv_into(room):
        pass
    sender.join()
    taken = time.perf_counter() - started, time.process_time() - before
    line.close()
    listener.close()
    return taken


def written(room, mebibytes):
    target = room / "limit"
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(["dd", "if=/dev/zero", f"of={target}", "bs=256k", f"count={mebibytes * 4}", "conv=fsync"],
                   capture_output=True, check=True)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    target.unlink()
    os.sync()
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def durable_small(room, count=200):
    """Written, synced, renamed, the folder synced: the least that one small object takes where none waits with it."""
    folder, taken = os.open(room, os.O_RDONLY | os.O_DIRECTORY), []
    for number in range(count):
        started = time.perf_counter()
        file = os.open(room / "small.new", os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(file, bytes(4096))
        os.fsync(file)
        os.close(file)
        os.rename(room / "small.new", room / f"small.{number}")
        os.fsync(folder)
        taken.append(time.perf_counter() - started)
    os.close(folder)
    for number in range(count):
        (room / f"small.{number}").unlink()
    return statistics.median(taken), min(taken), max(taken)
