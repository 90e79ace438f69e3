"""`config set|add|remove`: what a machine adds to its policy is kept apart, shown apart, and backed up."""


def test_additions_are_kept_apart_and_take_effect(world, restic):
    server = world.server(policy={"include": ["/etc/hostname"], "exclude": ["*.iso"]})
    source, more = world.folder(), world.folder("more")
    agent = world.enrolled(server, restic, source)
    agent.run("config", "add", "include", more).expect(0)
    agent.run("config", "add", "exclude", "*.tmp", "*.iso").expect(0)
    assert agent.config["include"] == [str(more)] and agent.config["exclude"] == ["*.tmp", "*.iso"]
    shown = agent.ask("config", "show")
    assert shown["policy"] == {"include": ["/etc/hostname", str(source)], "exclude": ["*.iso"]}
    assert shown["local"]["include"] == [str(more)]
    assert shown["effective"]["include"] == ["/etc/hostname", str(source), str(more)]
    assert shown["effective"]["exclude"] == ["*.iso", "*.tmp"]
    told = agent.run("config", "show").expect(0).out
    assert f"{more}  (this machine's own)" in told and f"{source}  (policy)" in told, told
    assert agent.device_key not in told and agent.repository.secret not in told

    (more / "only here").write_text("x")
    (more / "left out.tmp").write_text("x")
    agent.run("backup").expect(0)
    listed = agent.run("ls", "latest").expect(0).out
    assert f"{more}/only here" in listed and "left out.tmp" not in listed

    assert agent.run("config", "remove", "include", more, "--json").expect(0).data == {
        "include": [], "exclude": ["*.tmp", "*.iso"]}
    agent.run("config", "set", "exclude", "--none").expect(0)
    assert agent.config["include"] == [] and agent.config["exclude"] == []


def test_wrong_usage_changes_nothing(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    before = agent.config
    for wrong in (["set", "include"], ["add", "include"], ["add", "exclude", ""], ["remove", "include", "/nowhere"],
                  ["set", "schedule", "x"], ["set"], ["set", "include", "--none", "/x"]):
        agent.run("config", *wrong).expect(2)
    assert agent.config == before
    warned = agent.run("config", "add", "include", "/does/not/exist").expect(0)
    assert "/does/not/exist" in warned.err


def test_a_folder_is_meant_from_where_one_stands(world, server, restic):
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    agent.run("config", "add", "include", "./sub/..", "deeper/", cwd=source).expect(0)
    assert agent.config["include"] == [str(source), f"{source}/deeper"]


def test_without_a_config_there_is_nothing_to_change(world, restic):
    agent = world.agent(restic)
    agent.run("config", "add", "include", "/srv").expect(4)
    assert not agent.home.exists()
