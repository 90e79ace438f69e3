-- The scrub reads every object again, slowly, and compares its bytes with its hash. One row: where it is, so that a
-- restart goes on there. `place` is the journal's place of the object read last in `repository_id` (empty: the round has
-- not begun one). `worker` names the process that reads; another one takes over where `advanced_at` is old.
create table scrub (
    id integer primary key check (id = 1),
    round bigint not null,
    repository_id text not null,
    place bigint not null,
    objects bigint not null,
    bytes bigint not null,
    began_at bigint not null,
    advanced_at bigint not null,
    worker text not null,
    ended_at bigint,
    last_round_at bigint
);

-- What it found, until the object is whole again or gone.
create table object_damage (
    repository_id text not null references repository (id),
    place bigint not null,
    how text not null,
    found_at bigint not null,
    seen_at bigint not null,
    primary key (repository_id, place)
);
