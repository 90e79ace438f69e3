"""Folders full of what real machines hold, and the comparison that notices every difference."""

import hashlib
import os
import random
import stat
import subprocess

DAY = 24 * 3600 * 10**9

# As bytes: file names on Linux are bytes, and the last two are no UTF-8.
ODD_NAMES = [
    "überall größer".encode(),
    "日本語のファイル".encode(),
    "emoji 🗄️ and a‮right-to-left".encode(),
    "é composed".encode(),
    "e\u0301 decomposed".encode(),
    b"two\nlines",
    b"tab\there",
    b"carriage\rreturn",
    b'double "quotes"',
    b"single 'quotes'",
    b"back\\slash",
    b"trailing blank ",
    b" leading blank",
    b"-dash",
    b"--exclude=everything",
    b"star * and ? and [brackets]",
    b"$(command) `command` ${variable}",
    b"percent %20 and %s",
    b"#hash;semicolon&ampersand|pipe",
    b"dot.",
    b"..two dots",
    b"\x01control\x7f",
    b"escape \x1b[31mred",
    b"latin1 \xe9\xe8",
    b"\xff\xfe\xfd",
    b"x" * 255,
]


def make_small(folder, files=300, seed=1):
    """A few hundred files of a few KiB, odd names among them."""
    chance = random.Random(seed)
    folder = os.fsencode(folder)
    os.makedirs(folder, exist_ok=True)
    for index in range(files):
        parent = os.path.join(folder, b"part %d" % (index % 7))
        os.makedirs(parent, exist_ok=True)
        _write(os.path.join(parent, b"file %d.bin" % index), chance.randbytes(chance.randrange(0, 6000)))
    odd = os.path.join(folder, b"odd")
    os.makedirs(odd, exist_ok=True)
    for name in ODD_NAMES:
        _write(os.path.join(odd, name), name + b"\n" + chance.randbytes(50))


def make_bulk(folder, mebibytes, pieces=8, seed=2):
    """Incompressible files, for uploads that take their time."""
    os.makedirs(folder, exist_ok=True)
    chance = random.Random(seed)
    for index in range(pieces):
        with open(os.path.join(folder, f"bulk-{index}"), "wb") as out:
            left = mebibytes * 1048576 // pieces
            while left:
                piece = chance.randbytes(min(left, 4 << 20))
                out.write(piece)
                left -= len(piece)


def make_large(folder, files=20_000, total=1 << 30):
    """The whole zoo: `files` files of `total` bytes in all, one of them of 300 MiB, and everything a restore can
    get wrong: names, links, holes, modes, owners, extended attributes, times."""
    root = os.fsencode(folder)
    os.makedirs(root)
    chance = random.Random(20_000)
    made = _odd_things(root, chance)
    with open(os.path.join(root, b"large.bin"), "wb") as out:
        for _ in range(75):
            out.write(os.urandom(4 << 20))
    made += 1
    pool = os.urandom(32 << 20)
    typical = (total - (300 << 20)) // (files - made)
    for index in range(files - made):
        parent = os.path.join(root, b"tree", b"%02d" % (index % 50), b"%02d" % (index // 50 % 20))
        if index < 1000:
            os.makedirs(parent, exist_ok=True)
        size = 0 if index % 200 == 0 else chance.randrange(typical // 2, typical + typical // 2)
        start = chance.randrange(0, len(pool) - size - 1)
        # The number makes each file's content its own, so that nothing is saved by being equal.
        path = os.path.join(parent, b"file-%05d" % index)
        _write(path, (b"%d:" % index + pool[start : start + size]) if size else b"")
        if index % 10 == 0:
            os.chmod(path, chance.choice([0o400, 0o444, 0o600, 0o640, 0o755, 0o700]))
        moment = chance.randrange(10**18, 1_700_000_000 * 10**9)
        os.utime(path, ns=(moment, moment))
    _date_folders(root, chance)


def _odd_things(root, chance):
    before = sum(len(names) for _, _, names in os.walk(root))
    odd = os.path.join(root, b"odd names")
    os.makedirs(odd)
    for name in ODD_NAMES:
        _write(os.path.join(odd, name), name + chance.randbytes(100))
        os.makedirs(os.path.join(root, b"odd folders", name), exist_ok=True)
        _write(os.path.join(root, b"odd folders", name, b"inside"), name)

    links = os.path.join(root, b"links")
    os.makedirs(links)
    _write(os.path.join(links, b"original"), chance.randbytes(5000))
    os.makedirs(os.path.join(links, b"deeper"))
    for name in (b"hard one", b"hard two", b"deeper/hard three"):
        os.link(os.path.join(links, b"original"), os.path.join(links, name))
    for name, target in (
        (b"to file", b"original"),
        (b"to folder", b"deeper"),
        (b"dangling", b"nowhere/at/all"),
        (b"absolute", b"/etc/hostname"),
        (b"to itself", b"to itself"),
        # restic 0.14 cannot keep a target that is no UTF-8; its names may be any bytes.
        (b"odd target", "two\nlines größer".encode()),
    ):
        os.symlink(target, os.path.join(links, name))
        os.utime(os.path.join(links, name), ns=(DAY, DAY * 9000 + 123456789), follow_symlinks=False)

    holes = os.path.join(root, b"holes")
    os.makedirs(holes)
    with open(os.path.join(holes, b"sparse"), "wb") as out:
        out.write(chance.randbytes(100_000))
        out.seek(40 << 20)
        out.write(chance.randbytes(100_000))
        out.truncate(64 << 20)
    with open(os.path.join(holes, b"nothing but a hole"), "wb") as out:
        out.truncate(16 << 20)
    _write(os.path.join(holes, b"real zeros"), bytes(1 << 20))

    special = os.path.join(root, b"special")
    os.makedirs(special)
    for mode in (0o000, 0o400, 0o444, 0o4755, 0o2755, 0o600, 0o666):
        # An ordinary user can keep no file without the right to read it in a backup.
        if mode or os.geteuid() == 0:
            path = os.path.join(special, b"mode %04o" % mode)
            _write(path, b"mode")
            os.chmod(path, mode)
    os.mkfifo(os.path.join(special, b"fifo"))
    os.mkdir(os.path.join(special, b"empty folder"))
    os.mkdir(os.path.join(special, b"sticky"))
    os.chmod(os.path.join(special, b"sticky"), 0o1777)
    os.mkdir(os.path.join(special, b"read-only folder"))
    _write(os.path.join(special, b"read-only folder", b"inside"), b"inside")
    os.chmod(os.path.join(special, b"read-only folder"), 0o555)
    attributed = os.path.join(special, b"attributes")
    _write(attributed, b"attributes")
    os.setxattr(attributed, b"user.plain", b"value")
    os.setxattr(attributed, b"user.binary", bytes(range(256)))
    os.setxattr(attributed, "user.größe".encode(), b"")
    os.setxattr(os.path.join(special, b"empty folder"), b"user.folder", b"folder")
    subprocess.run(["setfacl", "-m", "u:1234:rw", attributed], check=True)
    if os.geteuid() == 0:
        for index, (user, group) in enumerate(((1234, 4321), (0, 65534), (65534, 0))):
            path = os.path.join(special, b"owner %d" % index)
            _write(path, b"owner")
            os.chown(path, user, group)
        os.lchown(os.path.join(links, b"dangling"), 1234, 4321)
    _write(os.path.join(special, b"before 1970"), b"old")
    os.utime(os.path.join(special, b"before 1970"), ns=(0, -DAY * 365 + 1))
    _write(os.path.join(special, b"far away"), b"new")
    os.utime(os.path.join(special, b"far away"), ns=(0, DAY * 365 * 150 + 999_999_999))
    return sum(len(names) for _, _, names in os.walk(root)) - before


def _date_folders(root, chance):
    for parent, _, _ in os.walk(root, topdown=False):
        moment = chance.randrange(10**18, 1_700_000_000 * 10**9)
        os.utime(parent, ns=(moment, moment))


def _write(path, content):
    with open(path, "wb") as out:
        out.write(content)


def survey(folder):
    """Everything that a backup has to bring back, by relative path."""
    root = os.fsencode(folder)
    found, inodes = {}, {}
    for parent, folders, names in os.walk(root):
        for name in [b""] * (parent == root) + folders + names:
            path = os.path.join(parent, name) if name else root
            relative = os.path.relpath(path, root)
            entry = _describe(path, inodes, relative)
            found[relative] = entry
    for shared in inodes.values():
        for relative in shared:
            found[relative]["links"] = sorted(shared)
    return found


def _describe(path, inodes, relative):
    info = os.lstat(path)
    entry = {
        "kind": stat.S_IFMT(info.st_mode),
        "mode": oct(stat.S_IMODE(info.st_mode)),
        "owner": (info.st_uid, info.st_gid),
        "modified": info.st_mtime_ns,
        "attributes": {
            name: os.getxattr(path, name, follow_symlinks=False) for name in os.listxattr(path, follow_symlinks=False)
        },
    }
    if stat.S_ISLNK(info.st_mode):
        entry["target"] = os.readlink(path)
    elif stat.S_ISREG(info.st_mode):
        entry["size"] = info.st_size
        entry["content"] = _digest(path)
        entry["allocated"] = info.st_blocks * 512
        if info.st_nlink > 1:
            inodes.setdefault((info.st_dev, info.st_ino), []).append(relative)
    return entry


def _digest(path):
    total = hashlib.sha256()
    with open(path, "rb") as source:
        while piece := source.read(1 << 20):
            total.update(piece)
    return total.hexdigest()


def differences(wanted, got, most=20):
    """What differs between two surveys, in words. Holes: a restored file may not take more room than the original,
    but for what a file system rounds up to."""
    found = []
    for path in sorted(set(wanted) | set(got)):
        if path not in got:
            found.append(f"{path!r}: missing")
        elif path not in wanted:
            found.append(f"{path!r}: was not there before")
        else:
            for key in sorted(set(wanted[path]) | set(got[path])):
                before, after = wanted[path].get(key), got[path].get(key)
                if key == "allocated":
                    if after > before + 256 * 1024:
                        found.append(f"{path!r}: takes {after} bytes on the disk, was {before}")
                elif before != after:
                    found.append(f"{path!r}: {key} is {after!r}, was {before!r}")
    return found[:most] + ([f"... and {len(found) - most} more"] if len(found) > most else [])


def assert_same(source, restored):
    found = differences(survey(source), survey(restored))
    assert not found, "the restored folder differs:\n" + "\n".join(found)


def below(target, source):
    """Where a restore into `target` puts what lay at the absolute path `source`."""
    return os.path.join(str(target), str(source).lstrip("/"))


def flip(path):
    """Another bit in the middle of a file, as a disk that goes bad leaves it."""
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
