"""What xentz-server is to reach, and whether it did."""

import statistics
from dataclasses import dataclass

OURS = "xentz-server"
PEERS = ("rest-server", "rclone")


def ratios(rounds, figure, above, below):
    """Of each round by itself, so that what else the machine does in it meets both."""
    return [getattr(a, figure) / getattr(b, figure) for a, b in zip(rounds[above], rounds[below])]


def better_peer(rounds):
    """The one with the lesser median of wall times, or None where no peer took part."""
    there = [name for name in PEERS if name in rounds]
    return min(there, key=lambda name: statistics.median(r.seconds for r in rounds[name]), default=None)


@dataclass(frozen=True)
class CpuAgainst:
    """The server's CPU time as a part of another's."""

    other: str
    most: float
    less: bool = False  # than `most`, not just as much

    def __call__(self, rounds):
        if self.other not in rounds:
            return None
        ratio = statistics.median(ratios(rounds, "cpu", OURS, self.other))
        reached = ratio < self.most if self.less else ratio <= self.most
        words = "less than" if self.less else "at most"
        return f"CPU {words} {self.most:.2f} x that of {self.other}: {ratio:.2f}", reached


@dataclass(frozen=True)
class WallNotAbove:
    """Not slower than the better peer beyond the spread: a quarter of the rounds or more were as fast as the peer's."""

    def __call__(self, rounds):
        peer = better_peer(rounds)
        if peer is None:
            return None
        all_ratios = sorted(ratios(rounds, "seconds", OURS, peer))
        median, quarter = statistics.median(all_ratios), all_ratios[(len(all_ratios) - 1) // 4]
        text = f"wall time not above that of the better peer, {peer}, beyond the spread: "
        return f"{text}{median:.2f}, lower quartile {quarter:.2f}", min(median, quarter) <= 1


@dataclass(frozen=True)
class Faster:
    """So many times as much in the same time as the better peer."""

    times: float

    def __call__(self, rounds):
        peer = better_peer(rounds)
        if peer is None:
            return None
        ratio = statistics.median(ratios(rounds, "seconds", peer, OURS))
        return f"at least {self.times:.1f} x as fast as the better peer, {peer}: {ratio:.2f}", ratio >= self.times


@dataclass(frozen=True)
class AnonymousAtMost:
    """In every round, not at the median."""

    mebibytes: float

    def __call__(self, rounds):
        most = max(r.anonymous for r in rounds[OURS])
        return f"anonymous memory at most {self.mebibytes:.0f} MiB: {most:.1f}", most <= self.mebibytes


UPLOAD = (CpuAgainst("floor", 1.15), CpuAgainst("rest-server", 0.8, less=True))
DOWNLOAD = (CpuAgainst("floor", 1.15), CpuAgainst("rest-server", 0.9))
NOT_SLOWER = (WallNotAbove(),)
SMALL = (Faster(1.5),)
LIST = (Faster(2),)
MEMORY = (AnonymousAtMost(24),)
