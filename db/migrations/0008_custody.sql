-- Who keeps a repository's password: 'server' (sealed under the master key), 'sealed' (to a public key of the tenant,
-- which the server cannot open), 'device' (nobody else). `custody_key` is that public key; a repository keeps the one
-- that it began with.
alter table tenant add column custody_key text;
alter table repository add column custody text not null default 'server';
alter table repository add column custody_key text;
update repository set custody = 'device' where password_box is null;

-- Passwords that a device has handed over since it enrolled. None is replaced: who has stolen a device's key can add one,
-- but not take away what opens the backups.
create table repository_password (
    repository_id text not null references repository (id),
    number bigint not null,
    kind text not null check (kind in ('server', 'sealed')),
    box text not null,
    deposited_at bigint not null,
    primary key (repository_id, number)
);
