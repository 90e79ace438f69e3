"""Somebody with a repository and a restic, and no agent between them."""

from . import fleet
from .server import Repository, Restic

PASSWORD = "a password of the tests"


class Owner:
    """`through` is the base address of a proxy that restic is to use."""

    def __init__(self, server, restic, room, tenant="acme", through=None):
        self.server, self.room = server, room
        enrolled = fleet.install(server, server.token(tenant), server.ca_file)
        assert enrolled.status == 200, enrolled
        self.device = enrolled.data["device_id"]
        self.repository = Repository(enrolled.data["repo_path"], server.ca_file)
        address = self.repository.address
        if through:
            address = address.replace(self.repository.host, through.removeprefix("http://"))
        self.restic = Restic(restic, room, address, PASSWORD, server.ca_file)

    def run(self, *args):
        return self.restic.run(*args).expect(0)

    def trash(self):
        return {(o["type"], o["name"]) for o in self.server.ask("repo", "trash", "list", "--device", self.device)}
