-- Looking for one object by its hash, newest first, and for what the trash holds must not read all that a repository
-- ever held.
drop index object_life_hash;
create index object_life_hash on object_life (repository_id, type, hash, place);
create index object_life_trash on object_life (repository_id, left_place) where in_trash = 1;
