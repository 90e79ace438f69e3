-- Credentials of a repository beside that of its device. The secret is derived from the row, not stored. `kind` says
-- what it may do; it holds until `expires_at`, unless it is revoked before.
create table repository_credential (
    id text primary key,
    repository_id text not null references repository (id),
    kind text not null check (kind in ('read-only', 'maintenance')),
    reason text not null,
    created_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint
);
create index repository_credential_repository on repository_credential (repository_id);
