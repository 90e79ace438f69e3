"""The agent's binary on nights when the clock changes, on a machine whose clock jumps, and after a long sleep.

libfaketime sets the clock of xentz-agent alone: by an offset, so that a local time that comes twice is not ambiguous.
Not faked are restic (its snapshots carry the real time), the files' times, and the scheduler: `Machine` plays it, with
the hourly run and, at each minute whose local time is that of the schedule, the timer's run."""

import datetime
import glob
import time
import zoneinfo

import pytest

UTC = datetime.timezone.utc
HOUR = datetime.timedelta(hours=1)


class Machine:
    def __init__(self, world, restic, zone, daily_at):
        library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        assert library, "libfaketime is not installed"
        self.zone, self.daily_at = zoneinfo.ZoneInfo(zone), daily_at
        self.environment = {"LD_PRELOAD": library[0], "TZ": zone, "NO_FAKE_STAT": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.agent = world.agent(restic)
        (world.room / "password").write_text("correct horse battery staple\n")
        self.agent.run("install", "--repo", world.room / "repository", "--password-file", world.room / "password",
                       "--include", world.folder(files=2), "--scheduler", "none", "--daily-at", daily_at).expect(0)
        self.agent.config = {**self.agent.config, "schedule": {"daily_at": daily_at, "jitter_minutes": 0}}
        self.agent.run("backup", "--auto-init").expect(0)
        (self.agent.home / "state" / "backup.json").unlink()
        self.runs = []

    def call(self, now, *command):
        offset = (now - datetime.datetime.now(UTC)).total_seconds()
        self.agent.run(*command, environment={**self.environment, "FAKETIME": f"{offset:+.3f}s"}).expect(0)
        started = self.agent.state("backup")["started_at"]
        if not self.runs or self.runs[-1] != started:
            self.runs.append(started)

    def live(self, start, end):
        """From hour to hour; returns when the backups ran, in local time."""
        before = len(self.runs)
        now = start
        while now < end:
            # The timer's minute lies in this hour, or before it, twice or not at all.
            for minute in range(60):
                at = now + datetime.timedelta(minutes=minute)
                if at.astimezone(self.zone).strftime("%H:%M") == self.daily_at:
                    self.call(at + datetime.timedelta(seconds=0.2), "backup", "--scheduled")
                if minute == 41:
                    self.call(at, "run-due")
            now += HOUR
        return [datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(self.zone)
                for text in self.runs[before:]]


def at(zone, text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(UTC)


# The day of the change, a time that it skips or doubles, and when that day's backup has to start.
@pytest.mark.parametrize("zone, day, daily_at, starts", [
    ("Europe/Berlin", "2027-03-28", "02:30", "03:41"),
    ("Europe/Berlin", "2027-10-31", "02:30", "02:30"),
    ("America/New_York", "2027-03-14", "02:30", "03:41"),
    ("America/New_York", "2027-11-07", "01:30", "01:30"),
    ("Australia/Lord_Howe", "2027-10-03", "02:15", "03:11"),
    ("Australia/Lord_Howe", "2027-04-04", "01:45", "01:45"),
])
def test_a_night_on_which_the_clock_changes_has_one_backup(world, restic, zone, day, daily_at, starts):
    machine = Machine(world, restic, zone, daily_at)
    noon = datetime.datetime.fromisoformat(day + "T12:00")
    days = [noon + datetime.timedelta(days=n) for n in (-1, 0, 1)]
    first = machine.live(at(zone, (days[0] - datetime.timedelta(hours=1)).isoformat()), at(zone, days[0].isoformat()))
    assert len(first) == 1, "the first backup comes at once"
    ran = machine.live(at(zone, days[0].isoformat()), at(zone, (days[2]).isoformat()))
    assert [t.strftime("%Y-%m-%d %H:%M") for t in ran] == [
        f"{days[1]:%Y-%m-%d} {starts}", f"{days[2]:%Y-%m-%d} {daily_at}"]
    if starts == daily_at:
        assert not ran[0].fold, "of the two, the first"


def test_a_clock_that_jumps_by_a_day_and_back(world, restic):
    machine = Machine(world, restic, "UTC", "02:00")

    def live(start, end):
        return [t.strftime("%d %H") for t in machine.live(at("UTC", start), at("UTC", end))]

    assert live("2027-06-10T01:00", "2027-06-10T12:00") == ["10 01", "10 02"], "the first one, and the day's"
    assert live("2027-06-11T12:00", "2027-06-11T14:00") == ["11 12"], "a day forth: what that day asks for"
    assert live("2027-06-10T14:00", "2027-06-11T01:00") == [], "and back: this day has had its backup"
    assert live("2027-06-11T01:00", "2027-06-11T12:00") == ["11 02"], "the clock was wrong; the day gets its own"
    assert live("2027-06-10T12:00", "2027-06-10T20:00") == [], "a day back: nothing twice"
    assert live("2027-06-11T20:00", "2027-06-12T12:00") == ["12 02"], "and forth again"


def test_a_month_of_sleep_is_one_backup(world, restic):
    machine = Machine(world, restic, "Europe/Berlin", "02:30")
    before = machine.live(at("Europe/Berlin", "2027-03-01T01:00"), at("Europe/Berlin", "2027-03-01T09:00"))
    assert len(before) == 2
    after = machine.live(at("Europe/Berlin", "2027-04-01T07:00"), at("Europe/Berlin", "2027-04-02T07:00"))
    assert [t.strftime("%d %H:%M") for t in after] == ["01 07:41", "02 02:30"]


def test_the_clock_that_is_faked_is_the_agents(world, restic):
    machine = Machine(world, restic, "UTC", "02:00")
    machine.call(at("UTC", "2031-01-01T05:00"), "run-due")
    assert machine.runs[0].startswith("2031-01-01T05:00")
    snapshots = machine.agent.ask("snapshots")
    assert all(abs(datetime.datetime.fromisoformat(s["time"][:19]).replace(tzinfo=UTC).timestamp() - time.time()) < 600
               for s in snapshots), "restic's is not"
