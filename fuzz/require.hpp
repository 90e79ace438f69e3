// What a fuzz target calls where something must hold: the fuzzer keeps the input that broke it.
#pragma once

#include <cstdlib>

namespace xentz::fuzz {

inline void require(bool condition)
{
    if (!condition) std::abort();
}

} // namespace xentz::fuzz
