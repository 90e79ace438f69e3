# xentz_module(NAME  SOURCES a.cpp b.cpp  USES xentz::domain Boost::json  PRIVATE_USES ...)
#
# One folder under src/ = one module = one static library = one namespace.
# USES (seen by whoever uses the module) and PRIVATE_USES (seen by its sources only) are the whole
# list of what the module may include: every module publishes its headers through an include root of
# its own, so a header of a module that is not named there is not found and the build fails.
add_library(xentz_flags INTERFACE)
target_compile_options(xentz_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Wcast-align -Wformat=2 -Wimplicit-fallthrough
  -Wnull-dereference -Wextra-semi -Werror
  # The last four are known false alarms of g++ 12 inside its own standard library.
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op -Wno-maybe-uninitialized -Wno-restrict
    -Wno-null-dereference -Wno-stringop-overflow>
  # A designated initialiser that leaves members to their defaults is how options are passed here.
  -Wno-missing-field-initializers)
target_compile_definitions(xentz_flags INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
if(XENTZ_SANITIZE)
  target_compile_options(xentz_flags INTERFACE -fsanitize=${XENTZ_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(xentz_flags INTERFACE -fsanitize=${XENTZ_SANITIZE})
endif()

if(XENTZ_PRECOMPILE)
  # The first so that ccache can tell what is in them; for the second see there.
  target_compile_options(xentz_flags INTERFACE -fpch-preprocess -Wno-error)
endif()
xentz_precompiled(module ${xentz_standard_headers})

function(xentz_module name)
  cmake_parse_arguments(M "" "" "SOURCES;USES;PRIVATE_USES" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${name} SYMBOLIC)
  if(M_SOURCES)
    add_library(xentz_${name} STATIC ${M_SOURCES})
    target_link_libraries(xentz_${name} PUBLIC ${M_USES} PRIVATE xentz_flags ${M_PRIVATE_USES})
    target_include_directories(xentz_${name} PUBLIC ${root})
    xentz_use_precompiled(xentz_${name} module)
  else()
    add_library(xentz_${name} INTERFACE)
    target_link_libraries(xentz_${name} INTERFACE ${M_USES})
    target_include_directories(xentz_${name} INTERFACE ${root})
  endif()
  add_library(xentz::${name} ALIAS xentz_${name})
endfunction()
