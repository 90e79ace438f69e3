-- The fleet's first schema. It is read by SQLite and by PostgreSQL, so it uses what both understand: text, bigint,
-- integer. Ids are text with a prefix, instants are microseconds UTC since 1970 in bigint, truth is 0 or 1 in integer,
-- JSON is text. The columns are described in src/store/rows.hpp.

-- What belongs to the installation as a whole and is decided once, for example which storage it is bound to.
create table setting (
    name text primary key,
    value text not null
);

-- An organisation whose devices, policies and repositories are kept apart from all others.
create table tenant (
    id text primary key,
    name text not null unique,
    custody text not null,
    created_at bigint not null
);

-- What devices are told to do: one JSON document for each name. Every tenant has one named "default".
create table policy (
    tenant_id text not null references tenant (id),
    name text not null,
    document text not null,
    updated_at bigint not null,
    primary key (tenant_id, name)
);

-- Permissions to enrol a device. Of the token itself only a hash is kept.
create table install_token (
    id text primary key,
    tenant_id text not null references tenant (id),
    policy_name text not null,
    token_hash text not null unique,
    uses_total bigint not null,
    uses_left bigint not null check (uses_left >= 0 and uses_left <= uses_total),
    created_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint,
    foreign key (tenant_id, policy_name) references policy (tenant_id, name)
);
create index install_token_tenant on install_token (tenant_id);

-- The machines that are backed up. Each proves itself by a key, of which only a hash is kept.
create table device (
    id text primary key,
    tenant_id text not null references tenant (id),
    user_id text not null,
    hostname text not null,
    os text not null,
    arch text not null,
    agent_version text not null,
    restic_version text not null,
    include text not null,
    policy_name text not null,
    key_hash text not null unique,
    enabled integer not null check (enabled in (0, 1)),
    enrolled_at bigint not null,
    last_seen_at bigint,
    revoked_at bigint,
    foreign key (tenant_id, policy_name) references policy (tenant_id, name)
);
create index device_tenant on device (tenant_id);

-- Which token a device came from, and the key of the call that made it: a second call with the same key is a retry
-- after a lost answer and must not make a second device. Calls without a key never match each other.
create table enrolment (
    device_id text primary key references device (id),
    token_id text not null references install_token (id),
    idempotency_key text check (length(idempotency_key) <= 512),
    unique (token_id, idempotency_key)
);

-- Where a device's snapshots lie. A thing of its own, found by its address (tenant, device, user), so that a successor
-- machine can take it over.
create table repository (
    id text primary key,
    tenant_id text not null references tenant (id),
    device_id text not null references device (id),
    user_id text not null,
    generation bigint not null,
    password_box text,
    initialised integer not null check (initialised in (0, 1)),
    created_at bigint not null,
    unique (tenant_id, device_id, user_id)
);
create index repository_device on repository (device_id, created_at);

-- What each run came to, as the device told it. A report that is sent again has the same dedup_key.
create table report (
    report_id text not null,
    device_id text not null references device (id),
    dedup_key text not null check (length(dedup_key) <= 512),
    job text not null,
    status text not null,
    started_at bigint not null,
    finished_at bigint not null,
    received_at bigint not null,
    duration_ms bigint not null,
    metrics text not null,
    error text,
    outcome text,
    fault text,
    config_version text,
    agent_version text,
    restic_version text,
    engine text,
    primary key (device_id, dedup_key)
);
create index report_newest on report (started_at);
create index report_newest_of_job on report (job, started_at);
create index report_newest_of_device on report (device_id, started_at);
create index report_newest_of_device_and_job on report (device_id, job, started_at);

-- People who may sign in. The table is not named "user", a word that PostgreSQL keeps for itself.
create table user_account (
    email text primary key,
    password_hash text not null,
    created_at bigint not null
);
