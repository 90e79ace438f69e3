-- The last time that somebody asked a device for a backup besides its schedule. The config carries the id to the device,
-- which remembers the ones that it has done.
create table backup_request (
    device_id text primary key references device (id),
    request_id text not null,
    requested_at bigint not null
);
