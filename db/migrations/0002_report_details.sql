-- What is good to know of a run beyond its figures, as the device told it: which files could not be read, warnings, what
-- the machine adds to its policy. One JSON document; absent where there was nothing to say.

alter table report add column details text;
