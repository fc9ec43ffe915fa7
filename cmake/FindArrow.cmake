# Finds the Arrow C++ libraries inside the pyarrow wheel of the `python` environment, so that the server and its
# workers use the very same build.
#
# Takes   ORCHESTRA_PYTHON, the python of that environment; without it build/environments/python, which ./orchestra makes.
# Gives   Arrow::arrow, Arrow::parquet, and, where the wheel has them, Arrow::compute, Arrow::acero, Arrow::dataset.
#
# The wheel has versioned names only (libarrow.so.2600), hence no find_library. CMake puts the wheel's directory in
# the RPATH of whatever links these targets.

set(ORCHESTRA_PYTHON "" CACHE FILEPATH "The python of the `python` environment; empty means build/environments/python")
set(arrow_python "${ORCHESTRA_PYTHON}")
if(NOT arrow_python)
  set(arrow_python "${CMAKE_SOURCE_DIR}/build/environments/python/bin/python")
endif()
# A new lock file means a new environment, hence new paths.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/environments/python.lock")

execute_process(
  COMMAND "${arrow_python}" -c
    "import os, pyarrow as p; print(os.path.realpath(p.get_include()), os.path.realpath(p.get_library_dirs()[0]), p.__version__, sep=';')"
  OUTPUT_VARIABLE arrow_answer
  RESULT_VARIABLE arrow_status
  OUTPUT_STRIP_TRAILING_WHITESPACE
  ERROR_QUIET)
if(NOT arrow_status EQUAL 0)
  message(FATAL_ERROR "No pyarrow in '${arrow_python}'. Run ./orchestra build once: it makes the environment.")
endif()
list(GET arrow_answer 0 Arrow_INCLUDE_DIR)
list(GET arrow_answer 1 Arrow_LIBRARY_DIR)
list(GET arrow_answer 2 Arrow_VERSION)
# By its path below the clone, where there is one: the compiler cache then knows the sources again in every clone, and after a
# new lock file that leaves pyarrow as it was.
get_filename_component(arrow_environment "${arrow_python}/../.." ABSOLUTE)
string(REPLACE "${arrow_environment}" "${CMAKE_SOURCE_DIR}/build/environments/python" arrow_linked "${Arrow_INCLUDE_DIR}")
file(REAL_PATH "${arrow_linked}" arrow_real)
if(arrow_real STREQUAL Arrow_INCLUDE_DIR)
  set(Arrow_INCLUDE_DIR "${arrow_linked}")
endif()

function(_arrow_target name file)
  file(GLOB path "${Arrow_LIBRARY_DIR}/${file}.so.[0-9]*")
  if(NOT path)
    return()
  endif()
  list(GET path 0 path)
  get_filename_component(soname "${path}" NAME)
  add_library(Arrow::${name} SHARED IMPORTED)
  set_target_properties(Arrow::${name} PROPERTIES
    IMPORTED_LOCATION "${path}"
    IMPORTED_SONAME "${soname}"
    INTERFACE_INCLUDE_DIRECTORIES "${Arrow_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${ARGN}")
endfunction()

_arrow_target(arrow libarrow)
_arrow_target(parquet libparquet Arrow::arrow)
_arrow_target(compute libarrow_compute Arrow::arrow)
_arrow_target(acero libarrow_acero Arrow::compute)
_arrow_target(dataset libarrow_dataset Arrow::acero Arrow::parquet)

if(TARGET Arrow::arrow AND TARGET Arrow::parquet)
  set(Arrow_TARGETS_FOUND TRUE)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Arrow
  REQUIRED_VARS Arrow_LIBRARY_DIR Arrow_INCLUDE_DIR Arrow_TARGETS_FOUND
  VERSION_VAR Arrow_VERSION)
