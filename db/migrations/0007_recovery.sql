-- Permissions to get the files of a lost machine back on another one. Of the token itself only a hash is kept. The first
-- call exchanges it for a credential that reads the repository; its key says which caller may ask again. Where
-- `allow_take_over`, that caller may also make the new machine the successor of the lost one.
create table recovery_token (
    id text primary key,
    device_id text not null references device (id),
    repository_id text not null references repository (id),
    token_hash text not null unique,
    allow_take_over integer not null check (allow_take_over in (0, 1)),
    created_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint,
    idempotency_key text check (length(idempotency_key) <= 512),
    credential_id text references repository_credential (id),
    successor_id text references device (id)
);
create index recovery_token_device on recovery_token (device_id);
create index recovery_token_successor on recovery_token (successor_id);
