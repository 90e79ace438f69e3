-- Room that uploads under way have spoken for, where several processes serve one storage. `server` is the number whose
-- lock the process holds; the rows of one that is gone hold nothing. What has arrived is counted by repository_state.
create table upload_reservation (
    id text primary key,
    server bigint not null,
    repository_id text not null references repository (id),
    type text not null,
    name text not null,
    bytes bigint not null check (bytes >= 0)
);
create index upload_reservation_object on upload_reservation (repository_id, type, name);
create index upload_reservation_server on upload_reservation (server);

-- Storages beside the installation's own, to which repositories were moved.
create table storage (
    id text primary key,
    address text not null unique,
    added_at bigint not null
);

-- Where a repository lies, where that was ever decided: an empty `storage_id` is the installation's own storage. Until
-- `closed_until` nothing comes to the repository or leaves it: it is being moved.
create table repository_storage (
    repository_id text primary key references repository (id),
    storage_id text not null,
    closed_until bigint
);
create index repository_storage_id on repository_storage (storage_id);
