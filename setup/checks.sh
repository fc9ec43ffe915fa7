# ./orchestra test, bench and lint.

tsan_folders=(base engine http catalog run)  # as in the preset tsan
fuzzers=(dataset_csv_fuzz dataset_csv_scan_fuzz dataset_query_fuzz)  # of every run; a long one takes all
hadoop=hadoop-client-minicluster-3.5.0.jar
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
  package_lists+=(debian-packages-clang debian-packages-test)
  prepare python spark tensorflow sql test
  fetch "$hadoop"
  build release orchestra
  part "unit tests, address and undefined behaviour" unit_tests asan-ubsan
  part "unit tests, threads" unit_tests tsan
  part "runtime tests" runtime_tests python "${selection[@]}"
  part "runtime tests, Spark" runtime_tests spark "${selection[@]}"
  part "runtime tests, TensorFlow" runtime_tests tensorflow "${selection[@]}"
  part "end-to-end tests" end_to_end_tests tests "${selection[@]}"
  part "tests of the Python client" end_to_end_tests clients/python/tests "${selection[@]}"
  if [ -n "${ORCHESTRA_LONG-}" ]; then part "fuzzing" fuzz 600 $(all_fuzzers); else part "fuzzing" fuzz 60 "${fuzzers[@]}"; fi
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

# runtime_tests ENVIRONMENT ARGUMENT...: the worker's own tests, in the environment that they are about; only pytest comes
# from another. Those about Spark skip themselves where there is none.
runtime_tests() {
  local variable packages pattern=$any_test
  variable=$(environment_variable "$1")
  if [ "$1" != python ]; then pattern=".*/$1[^/]*_test\.py"; fi
  packages=$("$ORCHESTRA_TEST_PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  PYTHONPATH=$packages run_pytest "runtime-$1" "${!variable}" runtime/python/tests "$pattern" "${@:2}"
}

# end_to_end_tests FOLDER ARGUMENT...: against the built server, as its clients.
end_to_end_tests() {
  export ORCHESTRA_BINARY=$ORCHESTRA_HOME/build/release/orchestra ORCHESTRA_HADOOP_JAR
  ORCHESTRA_HADOOP_JAR=$(file_path "$hadoop")
  run_pytest "${1//\//-}" "$ORCHESTRA_TEST_PYTHON" "$1" "$any_test" "${@:2}"
}

# run_pytest NAME PYTHON FOLDER PATTERN ARGUMENT...: the test files of the folder whose paths match, as many at once as there are
# cores, but no more than four, whose servers and Sparks have to fit in memory. Files that run at once share no server.
run_pytest() {
  local python=$2 log=$ORCHESTRA_HOME/build/logs/pytest-$1.log status=0 files
  mapfile -t files < <(cd "$ORCHESTRA_HOME" && find "$3" -regextype posix-extended -regex "$4" 2>/dev/null | sort)
  if [ ${#files[@]} -eq 0 ]; then return; fi
  (cd "$ORCHESTRA_HOME" && "$python" -m pytest --numprocesses "$(nproc)" --maxprocesses 4 --dist loadfile "${files[@]}" "${@:5}") 2>&1 | tee "$log" >&2 || status=$?
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

# The fuzzers that there are, by the names of their targets.
all_fuzzers() {
  (cd "$ORCHESTRA_HOME/src" && find . -name '*_fuzz.cc' | sort | sed -E 's|^\./([^/]*)/(.*/)?([^/]*)\.cc$|\1_\3|')
}

# fuzz SECONDS NAME...: each for so long, as many at once as there are cores; `results` gets a line for each. What they find
# interesting is kept for the next time in build/fuzz/corpus, and what they find wrong in build/fuzz/found, which is tried
# first.
fuzz() {
  local seconds=${ORCHESTRA_FUZZ_SECONDS:-$1} name status=0
  shift
  build fuzz "$@" || return
  progress "fuzzing" fuzz_side_by_side "$seconds" "$@" || status=$?
  for name in "$@"; do fuzz_result "$name" "$seconds" || status=1; done
  count=$#
  return "$status"
}

# In a shell of its own, whose children are the fuzzers alone.
fuzz_side_by_side() (
  seconds=$1 running=0
  shift
  for name in "$@"; do
    if [ "$running" -eq "$(nproc)" ]; then
      wait -n || true
      running=$((running - 1))
    fi
    echo "$name for $seconds s"
    fuzz_one "$seconds" "$name" &
    running=$((running + 1))
  done
  wait
)

# fuzz_one SECONDS FOLDER_STEM: begins with the inputs in src/FOLDER/corpus/STEM. Notes its status at the end of its log.
fuzz_one() {
  local directory=$ORCHESTRA_HOME/build/fuzz seeds=$ORCHESTRA_HOME/src/${2%%_*}/corpus/${2#*_} scratch status=0
  scratch=$(mktemp -d)
  mkdir -p "$directory/corpus/$2" "$directory/found/$2"
  TMPDIR=$scratch "$directory/$2" -max_total_time="$1" -timeout=60 -print_final_stats=1 -artifact_prefix="$directory/found/$2/" \
    "$directory/corpus/$2" "$directory/found/$2" "$seeds" >"$directory/$2.log" 2>&1 || status=$?
  echo "status $status" >>"$directory/$2.log"
  rm -rf "$scratch"
}

# fuzz_result NAME SECONDS
fuzz_result() {
  local log=$ORCHESTRA_HOME/build/fuzz/$1.log inputs
  inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if [ "$(tail -n 1 "$log")" = "status 0" ] && [ "${inputs:-0}" -gt 0 ]; then
    results+=("fuzzing, $1: $inputs inputs in $2 s")
    return
  fi
  tail -n 40 "$log" >&2
  results+=("fuzzing, $1: FAILED, the input is $(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1); $log")
  return 1
}

# The environment of the rivals is made for the benchmarks that need it.
run_benchmarks() {
  prepare python spark tensorflow test
  case " ${*:-rivals} " in *" rivals "* | *" datasets "* | *" large "*) prepare rivals ;; esac
  build release orchestra
  export ORCHESTRA_BINARY=$ORCHESTRA_HOME/build/release/orchestra
  cd "$ORCHESTRA_HOME"
  exec "$ORCHESTRA_TEST_PYTHON" bench/run.py "$@"
}

run_lint() {
  package_lists+=(debian-packages-clang)
  prepare python
  build dev
  cd "$ORCHESTRA_HOME"
  exec run-clang-tidy-19 -quiet -j "$(nproc)" -p build/dev "$ORCHESTRA_HOME/src/.*"
}
