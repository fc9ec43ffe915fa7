# How our own code is compiled: lo_options, which every target of ours links, carries warnings, sanitizers and macros.

add_library(lo_options INTERFACE)
target_compile_definitions(lo_options INTERFACE ORCHESTRA_VERSION="${PROJECT_VERSION}")

target_compile_options(lo_options INTERFACE
  -Werror -Wall -Wextra -Wpedantic
  -Wcast-align -Wcast-qual -Wconversion -Wdouble-promotion -Wextra-semi -Wformat=2 -Wimplicit-fallthrough
  -Wmissing-declarations -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wshadow -Wsuggest-override
  -Wundef -Wunused -Wvla)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(lo_options INTERFACE
    -Wduplicated-branches -Wduplicated-cond -Wlogical-op -Wredundant-tags
    # Wrong in GCC 12: std::string operations inlined (PR 105329, 105651), and operator delete of coroutine frames
    # that Asio allocates itself (PR 103993).
    -Wno-restrict -Wno-mismatched-new-delete)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Lock discipline is checked here, by the GUARDED_BY annotations of src/base.
  target_compile_options(lo_options INTERFACE -Wthread-safety -Wno-unknown-warning-option
    -Wno-deprecated-declarations)  # std::stable_partition of GCC's library uses what it deprecates itself
endif()

if(ORCHESTRA_SANITIZE)
  set(sanitize -fsanitize=${ORCHESTRA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_compile_options(${sanitize})
  add_link_options(${sanitize})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(lo_options INTERFACE
      # Instrumented code confuses these; they are checked without sanitizers.
      -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow
      # Asio has fences, which ThreadSanitizer does not model. All its shared state is atomic or under a mutex as well.
      -Wno-tsan)
  endif()
endif()

# mold links several times faster than ld, which the edit-build-test loop feels most.
find_program(ORCHESTRA_MOLD mold)
if(ORCHESTRA_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
