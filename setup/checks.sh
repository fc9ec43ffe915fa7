# ./orchestra test, bench and lint.

tsan_folders=(base engine http catalog run)  # as in the preset tsan
any_test='.*/(test_[^/]*|[^/]*_test)\.py'

# run_tests [long]: all parts are run, whatever the earlier ones gave; the last line says how it ended.
run_tests() {
  local start=$SECONDS results=() failed=0 selection=()
  case "${1-}" in
    '') ;;
    long)
      export ORCHESTRA_LONG=1
      selection=(-m "")
      ;;
    *) fail "unknown: test $1. There is: test, test long" ;;
  esac
  prepare python spark tensorflow sql test
  build release orchestra
  part "unit tests, address and undefined behaviour" unit_tests asan-ubsan
  part "unit tests, threads" unit_tests tsan
  part "runtime tests" runtime_tests python "$any_test" "${selection[@]}"
  part "runtime tests, Spark" runtime_tests spark '.*/spark[^/]*_test\.py' "${selection[@]}"
  part "runtime tests, TensorFlow" runtime_tests tensorflow '.*/tensorflow[^/]*_test\.py' "${selection[@]}"
  part "end-to-end tests" end_to_end_tests tests "${selection[@]}"
  part "tests of the Python client" end_to_end_tests clients/python/tests "${selection[@]}"
  if [ -n "${ORCHESTRA_LONG-}" ]; then part "fuzzing" fuzz; fi
  closing_line $((SECONDS - start))
}

# part NAME COMMAND...: runs it and notes how it ended. The command leaves in `count` how many tests it ran.
part() {
  local name=$1 start=$SECONDS count=0 status=0
  shift
  say "$name"
  "$@" || status=$?
  local result="$name: $count in $((SECONDS - start)) s"
  if [ "$status" -ne 0 ]; then
    result+=", FAILED"
    failed=1
  fi
  results+=("$result")
}

closing_line() {
  local result
  for result in "${results[@]}"; do say "  $result"; done
  if [ "$failed" -ne 0 ]; then
    say "FAILED after $(($1 / 60)) min $(($1 % 60)) s"
    return 1
  fi
  say "all tests passed in $(($1 / 60)) min $(($1 % 60)) s"
}

# unit_tests PRESET: builds and runs *_test.cc under a sanitizer.
unit_tests() {
  local preset=$1 log=$ORCHESTRA_HOME/build/logs/unit-tests-$1.log folders=("$ORCHESTRA_HOME"/src) status=0
  if [ "$preset" = tsan ]; then folders=("${tsan_folders[@]/#/$ORCHESTRA_HOME/src/}"); fi
  build "$preset" tests || return
  # GCC 12's sanitizers cannot place their shadow where the kernel scatters addresses widely.
  local plain_addresses=()
  if setarch -R true 2>/dev/null; then plain_addresses=(setarch -R); fi
  (cd "$ORCHESTRA_HOME" && "${plain_addresses[@]}" ctest --preset "$preset" --parallel "$(nproc)") 2>&1 | tee "$log" >&2 || status=$?
  count=$(sed -n 's/.*tests failed out of \([0-9]*\)$/\1/p' "$log")
  count=${count:-0}
  some_ran "$(find "${folders[@]}" -name '*_test.cc' 2>/dev/null)" || status=1
  return "$status"
}

# runtime_tests ENVIRONMENT PATTERN ARGUMENT...: the worker's own tests, in the environment that they are about; only
# pytest comes from another. Those about Spark skip themselves where there is none.
runtime_tests() {
  local variable packages
  variable=$(environment_variable "$1")
  packages=$("$ORCHESTRA_TEST_PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  PYTHONPATH=$packages run_pytest "${!variable}" runtime/python/tests "${@:2}"
}

# end_to_end_tests FOLDER ARGUMENT...: against the built server, as its clients.
end_to_end_tests() {
  export ORCHESTRA_BINARY=$ORCHESTRA_HOME/build/release/orchestra
  run_pytest "$ORCHESTRA_TEST_PYTHON" "$1" "$any_test" "${@:2}"
}

# run_pytest PYTHON FOLDER PATTERN ARGUMENT...: the test files of the folder whose paths match.
run_pytest() {
  local python=$1 log=$ORCHESTRA_HOME/build/logs/pytest.log status=0 files
  mapfile -t files < <(cd "$ORCHESTRA_HOME" && find "$2" -regextype posix-extended -regex "$3" 2>/dev/null | sort)
  if [ ${#files[@]} -eq 0 ]; then return; fi
  (cd "$ORCHESTRA_HOME" && "$python" -m pytest "${files[@]}" "${@:4}") 2>&1 | tee "$log" >&2 || status=$?
  count=$(sed -n 's/^\(.*[^0-9]\)\{0,1\}\([0-9][0-9]*\) passed.*/\2/p' "$log" | tail -n 1)
  count=${count:-0}
  some_ran "${files[*]}" || status=1
  return "$status"
}

# A part that has test files and ran no test is broken.
some_ran() {
  if [ -n "$1" ] && [ "$count" -eq 0 ]; then
    say "not a single test ran"
    return 1
  fi
}

# Each *_fuzz.cc for a while, on the corpus it has found so far.
fuzz() {
  local seconds=${ORCHESTRA_FUZZ_SECONDS:-300} source folder stem name
  prepare_machine debian-packages-long
  local names=()
  while read -r source; do
    folder=${source#"$ORCHESTRA_HOME/src/"}
    stem=$(basename "$source" .cc)
    names+=("${folder%%/*}_$stem")
  done < <(find "$ORCHESTRA_HOME/src" -name '*_fuzz.cc')
  build fuzz "${names[@]}" || return
  for name in "${names[@]}"; do
    mkdir -p "$ORCHESTRA_HOME/build/fuzz/corpus/$name"
    progress "fuzzing $name for $seconds s" "$ORCHESTRA_HOME/build/fuzz/$name" -max_total_time="$seconds" \
      -artifact_prefix="$ORCHESTRA_HOME/build/fuzz/" "$ORCHESTRA_HOME/build/fuzz/corpus/$name" || return
    count=$((count + 1))
  done
}

# The environment of the rivals is made for the benchmarks that need it.
run_benchmarks() {
  prepare python spark tensorflow test
  case " ${*:-rivals} " in *" rivals "* | *" datasets "*) prepare rivals ;; esac
  build release orchestra
  export ORCHESTRA_BINARY=$ORCHESTRA_HOME/build/release/orchestra
  cd "$ORCHESTRA_HOME"
  exec "$ORCHESTRA_TEST_PYTHON" bench/run.py "$@"
}

run_lint() {
  prepare python
  prepare_machine debian-packages-long
  build dev
  cd "$ORCHESTRA_HOME"
  exec run-clang-tidy-19 -quiet -j "$(nproc)" -p build/dev "$ORCHESTRA_HOME/src/.*"
}
