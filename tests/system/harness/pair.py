"""Two servers of one fleet, over one bucket and one PostgreSQL, behind nginx: docs/operations.md, "Several servers"."""

from . import certificates, net, postgresql
from .nginx import Nginx


class Pair:
    """To devices it is one server, at `url`; an administrator works on the first one's host."""

    def __init__(self, world, bucket, database, storage_of_second=None):
        port = net.free_port()
        key, self.ca_file = certificates.make(world.room)
        behind = ["--public-url", f"https://127.0.0.1:{port}", "--trusted-proxy", "127.0.0.1"]
        first = world.server(name="first", database=database, storage_address=bucket.address(),
                             environment=bucket.environment, options=behind)
        self.servers = [first, first.twin("second")]
        self.servers[1].storage_address = storage_of_second or first.storage_address
        world.servers.append(self.servers[1].start())
        self.nginx = Nginx(world.room, port, [s.port for s in self.servers], key, self.ca_file)
        world.proxies.append(self.nginx)
        self.url = self.nginx.url
        self.bucket, self.database = bucket, database

    @property
    def log(self):
        return "".join(server.log for server in self.servers)

    def admin(self, *args, **options):
        return self.servers[0].admin(*args, **options)

    def ask(self, *args):
        return self.servers[0].ask(*args)

    def token(self, tenant, **options):
        return self.servers[0].token(tenant, **options)

    def request(self, path, method="GET", body=None, headers=None):
        return net.request(self.url + path, method, body, headers, ca_file=self.ca_file)

    def rows(self, statement):
        return postgresql.rows(self.database, statement)

    # ---- what must agree

    def journal_and_bucket(self):
        """The keys of objects that the journal says are there, present or in the trash, and those that are."""
        said = set()
        for repository, kind, name in self.rows(
                "select repository_id, type, name from object_life where left_place is null"):
            folder = {"config": "config", "data": f"data/{name[:2]}/{name}"}.get(kind, f"{kind}/{name}")
            said.add(f"repositories/{repository}/{folder}")
        for repository, place, kind, digest in self.rows(
                "select repository_id, place, type, hash from object_life where in_trash = 1"):
            said.add(f"trash/{repository}/{place}-{kind}-{digest}")
        found = self.bucket.keys("repositories/") + self.bucket.keys("trash/")
        return said, {key for key in found if not key.endswith("/created")}

    def is_settled(self):
        said, found = self.journal_and_bucket()
        return said == found

    def assert_counted(self):
        """What each repository is said to take up is what its objects take up."""
        counted = self.rows("select repository_id, live_objects, live_bytes, trash_objects, trash_bytes "
                            "from repository_state order by repository_id")
        summed = self.rows(
            "select s.repository_id, count(*) filter (where l.left_place is null), "
            "coalesce(sum(l.bytes) filter (where l.left_place is null), 0), "
            "count(*) filter (where l.in_trash = 1), coalesce(sum(l.bytes) filter (where l.in_trash = 1), 0) "
            "from repository_state s left join object_life l on l.repository_id = s.repository_id "
            "group by s.repository_id order by s.repository_id")
        assert counted == summed
