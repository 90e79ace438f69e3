// The rows of the journal as the storage addresses what they are about.
#pragma once

#include "repo/trash_store.hpp"
#include "store/storage_rows.hpp"

namespace xentz::apps {

repo::object_key key_of(const store::object_life& l);
repo::trash_entry slot_of(const store::object_life& l); // its place in the trash

} // namespace xentz::apps
