-- Each time that the control plane was put back from a copy an epoch began: what had happened since the copy is not in
-- this database. Devices are told its id, and send the reports of the last days again when it changes. `confirmed_at`
-- is when an administrator had looked through the devices, because a revocation since the copy is not known either.
create table epoch (
    number bigint primary key,
    id text not null unique,
    began_at bigint not null,
    copy_made_at bigint not null,
    confirmed_at bigint
);
