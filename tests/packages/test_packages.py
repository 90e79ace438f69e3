"""The packages in a clean Debian 12 with systemd as its first process: made by mmdebstrap, thrown away afterwards.
Needs root and a Debian mirror (XENTZ_TEST_MIRROR names another one than deb.debian.org).

XENTZ_PACKAGES is the folder of the packages to test; XENTZ_NEWER_PACKAGES that of the same with a higher version."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

SERVICE = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash -c 'bash /out/script > /out/said 2>&1; echo $? > /out/status'
ExecStopPost=/bin/systemctl --no-block poweroff
"""

SCRIPT = r"""set -ex -o pipefail
export DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C.UTF-8
cd /out
get() { apt-get -q -y -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root --no-install-recommends "$@" 2>&1; }
fails() { local wanted=$1 code=0; shift; "$@" || code=$?; test $code = $wanted; }
units() { ls /etc/systemd/system | grep '^xentz-agent' || true; }
get update

# Installed: there, enabled, and waiting for a person.
get install ./old/xentz-agent_*.deb ./old/xentz-server_*.deb | tee installed
command -v restic
systemctl is-enabled xentz-server
fails 3 systemctl is-active xentz-server
fails 4 xentz-server tenant list
fails 4 xentz-agent backup
test "$(stat -c '%U %G %a' /etc/xentz-server/server.conf)" = "root xentz 640"
test "$(stat -c '%U %G %a' /var/lib/xentz-server)" = "xentz xentz 700"
test "$(stat -c '%U %a' /var/lib/xentz-agent)" = "root 700"
zcat /usr/share/man/man1/xentz-agent.1.gz /usr/share/man/man1/xentz-server.1.gz | grep -c '^\.TH' | grep -qx 2
bash -c '. /usr/share/bash-completion/completions/xentz-agent; complete -p xentz-agent'
fails 2 setpriv --reuid=nobody --clear-groups xentz-server tenant list 2> refused

# Run: administered by root, and still everything belongs to the server's user.
xentz-server init --recovery-sheet > init
systemctl start xentz-server # returns when it serves
xentz-server tenant create acme
install -m 0600 /dev/null "$HOME/policy.json"
echo '{"exclude": [], "retention": {"keep_last": 5}}' > "$HOME/policy.json"
xentz-server policy apply "$HOME/policy.json"
test -z "$(find /var/lib/xentz-server ! -user xentz)"
systemd-analyze verify --man=no /lib/systemd/system/xentz-server.service
mkdir -p /srv/source; echo hello > /srv/source/file
XENTZ_INSTALL_TOKEN=$(xentz-server token create --tenant acme | head -n 1) \
    xentz-agent install --server http://127.0.0.1:8080 --include /srv/source --scheduler auto
test -e /etc/xentz-agent/config.json
units | tee units-before
test -s units-before
xentz-agent backup
kill -9 "$(systemctl show -p MainPID --value xentz-server)"
for _ in $(seq 100); do systemctl is-active xentz-server && break; sleep .2; done
xentz-agent backup

# Upgraded: config, timers and data stay.
echo '# mine' >> /etc/xentz-server/server.conf
served_by=$(systemctl show -p MainPID --value xentz-server)
get install -o Dpkg::Options::=--force-confold ./new/xentz-agent_*.deb ./new/xentz-server_*.deb | tee upgraded
grep -qx '# mine' /etc/xentz-server/server.conf
systemctl is-active xentz-server
test "$served_by" != "$(systemctl show -p MainPID --value xentz-server)"
units | diff units-before -
xentz-agent backup
systemctl start "$(units | grep -m 1 'backup.*service')" # nothing due, and it can run
xentz-server report list --json > reports.json

# Removed: nothing runs, nothing is lost; back again, it goes on.
get remove xentz-agent
test -z "$(units)"
test -e /etc/xentz-agent/config.json
get install ./new/xentz-agent_*.deb
units | diff units-before -
xentz-agent backup
get remove xentz-server
fails 3 systemctl is-active xentz-server
fails 1 pgrep -x xentz-server
fails 7 xentz-agent backup
get install ./new/xentz-server_*.deb
xentz-agent backup
xentz-agent status --json > status.json

# Purged: what cannot be had again is kept.
get purge xentz-agent xentz-server | tee purged
test -z "$(units)"
test ! -e /etc/xentz-agent
test ! -e /etc/xentz-server
test "$(ls -A /var/lib/xentz-agent)" = restic.pw
test -e /var/lib/xentz-server/master.key
test ! -e /etc/systemd/system/multi-user.target.wants/xentz-server.service

# The repository that was kept opens with the password that was kept, by restic alone.
repository=$(ls -d /var/lib/xentz-server/storage/repositories/*/ | head -n 1)
RESTIC_PASSWORD_FILE=/var/lib/xentz-agent/restic.pw restic -r "$repository" --no-cache check --read-data

# And where there is nothing to keep, a purge leaves nothing.
rm -r /var/lib/xentz-server /var/lib/xentz-agent
get install ./new/xentz-agent_*.deb ./new/xentz-server_*.deb
get purge xentz-agent xentz-server
test ! -e /var/lib/xentz-server
test ! -e /var/lib/xentz-agent
fails 2 getent passwd xentz
"""


@pytest.fixture
def room():
    path = pathlib.Path(tempfile.mkdtemp(prefix="xentz-packages-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def clean_debian(root):
    mirror = os.environ.get("XENTZ_TEST_MIRROR", "http://deb.debian.org/debian")
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", "--include=systemd,systemd-sysv,procps", "bookworm", root, mirror],
        check=True, timeout=900,
    )
    (root / "etc/systemd/system/the-test.service").write_text(SERVICE)


def boot(root, out):
    """Returns once the script has ended and the machine is off."""
    with (out / "boot.log").open("wb") as log:
        subprocess.run(
            ["systemd-nspawn", "-q", "-b", "-D", root, "--register=no", "--keep-unit", "--console=pipe",
             "--resolv-conf=copy-host", f"--bind={out}:/out", "systemd.unit=multi-user.target",
             "systemd.wants=the-test.service"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False, timeout=1800,
        )


def test_packages_install_upgrade_run_and_purge(room):
    root, out = room / "root", room / "out"
    out.mkdir()
    shutil.copytree(os.environ["XENTZ_PACKAGES"], out / "old", ignore=shutil.ignore_patterns("_CPack*"))
    shutil.copytree(os.environ["XENTZ_NEWER_PACKAGES"], out / "new", ignore=shutil.ignore_patterns("_CPack*"))
    clean_debian(root)
    (out / "script").write_text(SCRIPT)
    boot(root, out)

    def text(name):
        return (out / name).read_text(errors="replace") if (out / name).exists() else ""

    assert text("status").strip() == "0", text("boot.log")[-2000:] + text("said")[-6000:]
    assert "to enrol this machine: xentz-agent install" in text("installed")
    assert "xentz-server init && systemctl start xentz-server" in text("installed")
    assert "Next: systemctl start xentz-server" in text("init") and "Recovery sheet" in text("init")
    assert "cannot read the config /etc/xentz-server/server.conf" in text("refused")
    assert [r["status"] for r in json.loads(text("reports.json"))] == ["success"] * 3
    assert json.loads(text("status.json"))["reports_pending"] == 0
    assert "kept the password that opens this machine's backups" in text("purged")
    assert "kept /var/lib/xentz-server" in text("purged")
