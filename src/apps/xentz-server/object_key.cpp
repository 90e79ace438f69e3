#include "object_key.hpp"

namespace xentz::apps {

repo::object_key key_of(const store::object_life& l)
{
    return {l.repository_id.text, repo::parse_object_type(l.type).value_or(repo::object_type::data), l.name};
}

repo::trash_entry slot_of(const store::object_life& l) { return {key_of(l), l.hash, l.place}; }

} // namespace xentz::apps
