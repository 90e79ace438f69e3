"""Without a control plane: a repository of one's own."""

import json
import stat

import pytest
from harness import programs, trees


@pytest.fixture
def password(world):
    file = world.room / "password"
    file.write_text("correct horse battery staple\n")
    file.chmod(0o600)
    return file


def legacy(world, restic, password, repository, include):
    agent = world.agent(restic)
    agent.run("install", "--repo", repository, "--password-file", password, "--include", include,
              "--scheduler", "none").expect(0)
    return agent


def test_a_local_repository(world, restic, password):
    source, repository = world.folder(), world.room / "repository"
    agent = legacy(world, restic, password, repository, source)
    refused = agent.run("backup").expect(1)
    assert "--auto-init" in refused.err, "a repository is not made unasked"
    assert not (repository / "config").exists()
    agent.run("backup", "--auto-init").expect(0)
    agent.run("backup").expect(0)
    assert len(agent.ask("snapshots")) == 2
    agent.run("restore", "latest", "--target", world.room / "restored").expect(0)
    trees.assert_same(source, trees.below(world.room / "restored", source))
    assert agent.spooled() == [], "there is nobody to report to"
    assert agent.state("backup")["status"] == "success"

    agent.config = {**agent.config, "retention": {"keep_last": 1, "prune": True}}
    agent.run("retention").expect(0)
    assert len(agent.ask("snapshots")) == 1


def test_auto_init_leaves_a_repository_alone_that_is_there(world, restic, password):
    repository = world.room / "repository"
    agent = legacy(world, restic, password, repository, world.folder())
    agent.run("backup", "--auto-init").expect(0)
    config = (repository / "config").read_bytes()
    agent.run("backup", "--auto-init").expect(0)
    assert (repository / "config").read_bytes() == config and len(agent.ask("snapshots")) == 2
    wrong = world.room / "wrong"
    wrong.write_text("wrong")
    other = legacy(world, restic, wrong, repository, world.folder("other"))
    other.run("backup", "--auto-init").expect(8)


def test_retention_without_rules_removes_nothing(world, restic, password):
    agent = legacy(world, restic, password, world.room / "repository", world.folder())
    agent.run("backup", "--auto-init").expect(0)
    agent.run("backup").expect(0)
    config = agent.config
    config.pop("retention", None)
    agent.config = config
    assert agent.run("retention").code not in (0, 3)
    assert len(agent.ask("snapshots")) == 2


def test_a_password_on_the_command_line_is_warned_about(world, restic):
    agent = world.agent(restic)
    told = agent.run("install", "--repo", world.room / "repository", "--password", "typed in the open",
                     "--include", world.folder(), "--scheduler", "none").expect(0)
    assert "warn" in told.err.lower() and "--password-file" in told.err
    assert "typed in the open" not in told.text
    agent.run("backup", "--auto-init").expect(0)


def test_the_first_agents_config_is_understood(world, restic, password):
    """The keys as they lie on users' disks, with some that nobody knows any more."""
    source, repository = world.folder(), world.room / "repository"
    agent = world.agent(restic)
    agent.home.mkdir(mode=0o700)
    agent.config = {
        "schedule": {"daily_at": "03:30"}, "include": [str(source)], "exclude": ["*.tmp"], "user_id": "someone",
        "restic": {"repository": str(repository), "password_file": str(password)},
        "retention": {"keep_daily": 7, "keep_weekly": 4, "prune": True}, "legacy_option": {"kept": True},
    }
    agent.run("backup", "--auto-init").expect(0)
    assert agent.config["legacy_option"] == {"kept": True}
    assert len(agent.ask("snapshots")) == 1
    agent.run("retention").expect(0)


def test_another_config_file(world, restic, password):
    agent = legacy(world, restic, password, world.room / "repository", world.folder())
    elsewhere = world.room / "elsewhere.json"
    elsewhere.write_text(json.dumps(agent.config))
    (agent.home / "config.json").unlink()
    agent.run("backup").expect(4)
    agent.run("backup", "--auto-init", "--config", elsewhere).expect(0)


def test_the_password_file_of_a_user_is_not_touched(world, restic, password):
    before = (password.read_bytes(), stat.S_IMODE(password.stat().st_mode), password.stat().st_mtime_ns)
    agent = legacy(world, restic, password, world.room / "repository", world.folder())
    agent.run("backup", "--auto-init").expect(0)
    assert before == (password.read_bytes(), stat.S_IMODE(password.stat().st_mode), password.stat().st_mtime_ns)
    missing = world.agent(restic).run("install", "--repo", world.room / "r2", "--password-file", world.room / "no such",
                                      "--scheduler", "none")
    assert missing.code in (2, 8) and "no such" in missing.err


def test_ambient_variables_do_not_steer_restic(world, restic, password):
    """A RESTIC_* variable of the person's shell must not send a backup elsewhere."""
    elsewhere = world.room / "elsewhere"
    agent = legacy(world, restic, password, world.room / "repository", world.folder())
    ambient = {"RESTIC_REPOSITORY": str(elsewhere), "RESTIC_PASSWORD": "other", "RESTIC_PASSWORD_COMMAND": "echo other",
               "RESTIC_KEY_HINT": "0" * 8, "RESTIC_COMPRESSION": "max"}
    agent.run("backup", "--auto-init", environment=ambient).expect(0)
    agent.run("backup", environment=ambient).expect(0)
    assert not elsewhere.exists() and len(agent.ask("snapshots")) == 2
    assert programs.restic_version(restic)
