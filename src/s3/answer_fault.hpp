// What an answer of an object store that is no success means, as a fault.
//
//     repository_refused    the access keys are not taken, or not allowed to do this
//     repository_missing    there is no such bucket
//     config_invalid        the bucket is in another region
//     clock_wrong           this machine's clock differs too much from the store's
//     not_found             no such object
//     conflict              a condition of the request does not hold (If-None-Match, If-Match)
//     disk_full             the store or its quota is full
//     server_failed         it cannot answer now: trying again may help
//     server_refused        it answers, and says no for another reason
//
// Codes: Amazon S3 API Reference, "Error Responses"; Ceph's gateway and MinIO use the same.
// Threads: a pure function.
#pragma once

#include "base/clock.hpp"
#include "base/fault.hpp"
#include "http/message.hpp"
#include "s3/address.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace xentz::s3 {

struct refused_answer {
    int status = 0;
    const std::vector<http::header>& headers;
    std::string_view body;
    std::string_view wish; // "read an object": what the request was for
    std::string_view origin_of_keys;
    base::time_point now; // by this machine's clock
};

base::fault answer_fault(const address& a, const refused_answer& r);

} // namespace xentz::s3
