-- What the repository server remembers about objects: when each came and went, where the trash keeps it, how much room
-- it takes, and by which rules. Written by the program that serves the storage and by the commands `repo ...`.

-- How repositories are kept. `owner` is the id of a tenant or of a repository; what a repository leaves null is its
-- tenant's, and what both leave null is the program's default.
create table storage_rule (
    owner text primary key,
    mode text check (mode in ('full', 'append-only', 'guarded')),
    trash_days bigint check (trash_days between 1 and 3650),
    quota_bytes bigint check (quota_bytes >= 0),
    repository_quota_bytes bigint check (repository_quota_bytes >= 0),
    trash_factor bigint check (trash_factor between 1 and 100)
);

-- One row for each repository that was ever written to. `place` is the last place of its journal that was given out.
create table repository_state (
    repository_id text primary key references repository (id),
    place bigint not null,
    live_objects bigint not null,
    live_bytes bigint not null,
    trash_objects bigint not null,
    trash_bytes bigint not null,
    last_access_at bigint,
    maintenance_until bigint,
    purge_day bigint not null,
    purge_left bigint not null
);

-- The journal: one row for each time that an object was present, from `place` until `left_place`. While `in_trash` is
-- 1, the bytes lie in the trash under `place`. `first_place` is where these bytes came first: it stays the same when
-- they return from the trash. `left_trusted` is the time of the sweep's own clock at the deletion.
create table object_life (
    repository_id text not null references repository (id),
    place bigint not null,
    type text not null,
    name text not null,
    hash text not null,
    bytes bigint not null,
    came_at bigint not null,
    first_place bigint not null,
    left_place bigint,
    left_at bigint,
    left_trusted bigint,
    in_trash integer not null check (in_trash in (0, 1)),
    primary key (repository_id, place)
);
create unique index object_life_present on object_life (repository_id, type, name) where left_place is null;
create index object_life_left on object_life (repository_id, left_place) where left_place is not null;
create index object_life_hash on object_life (repository_id, type, hash);

-- A hold keeps everything that was there at `place`, present or in the trash, until it is released.
create table repository_hold (
    repository_id text not null references repository (id),
    place bigint not null,
    held_at bigint not null,
    reason text not null,
    released_at bigint,
    primary key (repository_id, place)
);

-- The sweep's own clock: it advances by time that has passed for certain, whatever the machine's clock says.
create table sweep_clock (
    id integer primary key check (id = 1),
    trusted_at bigint not null,
    swept_at bigint not null
);

-- How much each repository held at the end of each day (days since 1970, UTC).
create table usage_sample (
    repository_id text not null references repository (id),
    day bigint not null,
    live_objects bigint not null,
    live_bytes bigint not null,
    trash_bytes bigint not null,
    primary key (repository_id, day)
);
