-- That the control plane of this database was moved to another one: while there is a row, nothing is served from here
-- and nothing is changed here. `folder` is where the export was written; `export_hash` is the SHA-256 of its manifest,
-- once it was whole. It is a mark of this database and goes with no copy.
create table moved_away (
    id integer primary key check (id = 1),
    moved_at bigint not null,
    folder text not null,
    export_hash text
);
