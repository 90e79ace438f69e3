# xentz_precompiled(KIND HEADER...  LIBRARIES ...) makes the headers once; xentz_use_precompiled(TARGET KIND) lets a target
# read them ready-made. A build from nothing gets a quarter shorter.
#
# Only under the sanitizers (XENTZ_PRECOMPILE, set by the presets asan and tsan). The others go without: there a file that
# lacks an #include fails, and g++ 12 takes code of its own headers for ours where they are precompiled, and warns.
function(xentz_precompiled kind)
  cmake_parse_arguments(P "" "" "LIBRARIES" ${ARGN})
  if(NOT XENTZ_PRECOMPILE)
    return()
  endif()
  set(source ${CMAKE_BINARY_DIR}/precompiled/${kind}.cpp)
  if(NOT EXISTS ${source})
    file(WRITE ${source} "")
  endif()
  add_library(xentz_precompiled_${kind} OBJECT ${source})
  target_link_libraries(xentz_precompiled_${kind} PRIVATE xentz_flags ${P_LIBRARIES})
  target_precompile_headers(xentz_precompiled_${kind} PRIVATE ${P_UNPARSED_ARGUMENTS})
endfunction()

function(xentz_use_precompiled target kind)
  if(XENTZ_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM xentz_precompiled_${kind})
  endif()
endfunction()

set(xentz_standard_headers
  <algorithm> <array> <charconv> <chrono> <filesystem> <functional> <map> <memory> <optional> <span> <stop_token>
  <string> <string_view> <vector>)
