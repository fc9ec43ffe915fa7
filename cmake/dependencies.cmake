# Everything the C++ code links. What each is for and why it was chosen: docs/dependencies.md.
# All are imported targets, so their headers are system headers and raise no warnings here.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED CONFIG COMPONENTS headers json url)
find_package(SQLite3 3.40 REQUIRED)
find_package(PostgreSQL 15 REQUIRED)  # libpq
find_package(CURL 7.88 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto SSL)
find_package(LibArchive 3.6 REQUIRED)
find_package(fmt 9 REQUIRED CONFIG)
find_package(spdlog 1.10 REQUIRED CONFIG)
find_package(CLI11 2.1 REQUIRED CONFIG)
find_package(yaml-cpp 0.7 REQUIRED CONFIG)
find_package(date 3.0 REQUIRED CONFIG)
find_package(mimalloc 2.0 REQUIRED CONFIG)
find_package(prometheus-cpp REQUIRED CONFIG COMPONENTS core)  # its CMake files name no version
find_package(Arrow REQUIRED MODULE)  # cmake/FindArrow.cmake: the one inside the pyarrow wheel

if(ORCHESTRA_TESTS)
  find_package(GTest 1.12 REQUIRED CONFIG)
  find_package(benchmark 1.7 REQUIRED CONFIG)
endif()

# Packages whose CMake support is missing or does not name a target with "::".
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
find_library(XXHASH_LIBRARY xxhash REQUIRED)
add_library(xxhash::xxhash UNKNOWN IMPORTED)
set_target_properties(xxhash::xxhash PROPERTIES
  IMPORTED_LOCATION "${XXHASH_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${XXHASH_INCLUDE_DIR}")
find_path(RE2_INCLUDE_DIR re2/re2.h REQUIRED)
find_library(RE2_LIBRARY re2 REQUIRED)
add_library(re2::re2 UNKNOWN IMPORTED)
set_target_properties(re2::re2 PROPERTIES
  IMPORTED_LOCATION "${RE2_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${RE2_INCLUDE_DIR}")
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp INTERFACE IMPORTED)
  target_link_libraries(yaml-cpp::yaml-cpp INTERFACE yaml-cpp)
endif()

# Asio and Beast are compiled once, here, and not again in every file that includes them.
add_library(lo_asio STATIC cmake/asio.cc)
add_library(lo::asio ALIAS lo_asio)
target_compile_definitions(lo_asio PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(lo_asio PUBLIC Boost::headers OpenSSL::SSL Threads::Threads PRIVATE lo_options)
