# lo_library(<name> [DEPS <dependency>...] [TOGETHER <pattern>])
#
# The whole of src/<name>/CMakeLists.txt. Makes
#   lo_<name>               a static library of all *.cc under the folder (an INTERFACE library where there are none)
#   <name>_test             one GoogleTest executable of all *_test.cc, its tests labelled <name> in ctest
#   <name>_bench            one Google Benchmark executable of all *_bench.cc; not part of the default build
#   <name>_<file>           one libFuzzer executable of each *_fuzz.cc, where ORCHESTRA_FUZZ is on
# TOGETHER: tests of this name, such as *Postgres*, are one test of ctest, hence one process: they share what takes long to start.
# A dependency in lower case is a folder of src/; one with "::" is an imported target. Includes start at src/:
# #include "base/error.h".

add_custom_target(tests COMMENT "All unit tests")
add_custom_target(benchmarks COMMENT "All benchmarks")

function(lo_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TOGETHER" "DEPS")
  set(dependencies "")
  foreach(dependency IN LISTS arg_DEPS)
    if(dependency MATCHES "::")
      list(APPEND dependencies ${dependency})
    else()
      list(APPEND dependencies lo_${dependency})
    endif()
  endforeach()

  set(folder "${CMAKE_SOURCE_DIR}/src/${name}")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${folder}/*.cc")
  foreach(kind IN ITEMS test bench fuzz)
    set(${kind}s "${sources}")
    list(FILTER ${kind}s INCLUDE REGEX "_${kind}\\.cc$")
    list(FILTER sources EXCLUDE REGEX "_${kind}\\.cc$")
  endforeach()
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")

  if(sources)
    add_library(lo_${name} STATIC ${sources})
    target_link_libraries(lo_${name} PRIVATE lo_options)
    set(scope PUBLIC)
  else()
    add_library(lo_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(lo_${name} ${scope} "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(lo_${name} ${scope} ${dependencies})
  set_property(GLOBAL APPEND PROPERTY LO_LIBRARIES lo_${name})

  if(ORCHESTRA_TESTS AND tests AND (NOT ORCHESTRA_TEST_FOLDERS OR name IN_LIST ORCHESTRA_TEST_FOLDERS))
    _lo_tests(${name} "${tests}" "${arg_TOGETHER}")
  endif()
  if(ORCHESTRA_TESTS AND benchs)
    add_executable(${name}_bench EXCLUDE_FROM_ALL ${benchs})
    target_link_libraries(${name}_bench PRIVATE lo_options lo_${name} benchmark::benchmark_main)
    add_dependencies(benchmarks ${name}_bench)
  endif()
  if(ORCHESTRA_FUZZ)
    _lo_fuzzers(${name} "${fuzzs}")
  endif()
endfunction()

function(_lo_tests name sources together)
  add_executable(${name}_test ${sources})
  if(ORCHESTRA_SANITIZE STREQUAL "thread")
    target_sources(${name}_test PRIVATE "${CMAKE_SOURCE_DIR}/cmake/tsan_suppressions.cc")
  endif()
  target_link_libraries(${name}_test PRIVATE lo_options lo_${name} GTest::gmock_main)
  if(NOT ORCHESTRA_SANITIZE)  # GCC 12, optimising, takes the value of an expected that holds an error for one that is read
    target_compile_options(${name}_test PRIVATE -Wno-maybe-uninitialized)
  endif()
  add_dependencies(tests ${name}_test)
  set(alone "")
  if(together)
    set(alone TEST_FILTER "-${together}")
    add_test(NAME "${name}.${together}" COMMAND ${name}_test "--gtest_filter=${together}" WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
    set_tests_properties("${name}.${together}" PROPERTIES LABELS ${name} TIMEOUT 600)
  endif()
  gtest_discover_tests(${name}_test
    TEST_PREFIX "${name}."
    ${alone}
    WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${name} TIMEOUT 120)
endfunction()

function(_lo_fuzzers name sources)
  foreach(source IN LISTS sources)
    get_filename_component(stem "${source}" NAME_WE)
    add_executable(${name}_${stem} "${source}")
    target_link_libraries(${name}_${stem} PRIVATE lo_options lo_${name})
    target_compile_options(${name}_${stem} PRIVATE -Wno-missing-declarations)  # LLVMFuzzerTestOneInput has no header
    target_link_options(${name}_${stem} PRIVATE -fsanitize=fuzzer)
  endforeach()
endfunction()
