"""Restics that work without end, and what a server has acknowledged to them meanwhile."""

import random
import threading


class Acknowledged:
    """The hook of a proxy: which objects the server has said 200 to, but for those that somebody asked to delete."""

    def __init__(self):
        self._lock = threading.Lock()
        self.standing = {}  # path -> its length
        self.stored = self.deleted = 0

    def __call__(self, method, path, body):
        path = path.partition("?")[0]
        if method == "DELETE":
            # From here on it may be there or not, whatever is answered.
            with self._lock:
                self.standing.pop(path, None)
                self.deleted += 1
        if method != "POST" or path.endswith("/"):
            return None

        def look(answer):
            if answer.status == 200:
                with self._lock:
                    self.standing[path] = len(body)
                    self.stored += 1
            return answer

        return look


class Worker(threading.Thread):
    """Backs up, and now and then thins out, again and again; that a run fails is part of it."""

    def __init__(self, owner, source, thins_out, seed):
        super().__init__(daemon=True)
        self.owner, self.source, self.thins_out = owner, source, thins_out
        self.dice = random.Random(seed)
        self.over = threading.Event()
        self.runs = self.good = 0

    def run(self):
        while not self.over.is_set():
            (self.source / f"file-{self.dice.randrange(6)}").write_bytes(self.dice.randbytes(3 << 20))
            job = ["backup", self.source]
            if self.thins_out and self.dice.random() < 0.3:
                # What the last prune that was cut off has left locked is nobody's any more.
                self.owner.restic.run("unlock", "--remove-all")
                job = ["forget", "--keep-last", "2", "--prune"]
            self.runs += 1
            self.good += self.owner.restic.run(*job).code == 0
