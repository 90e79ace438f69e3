# Everything comes from Debian 12 (script/bootstrap names the packages).
# Boost 1.81 has to be asked for by version: the default package is 1.74.
find_package(Threads REQUIRED)
find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS headers json url)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(PostgreSQL 15 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
if(XENTZ_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  # Debian's /usr/bin/python3 is the one that has python3-pytest.
  find_program(XENTZ_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
endif()
