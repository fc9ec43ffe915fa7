# What all parts use: messages, progress, locks. Everything said goes to stderr; stdout belongs to the program.

say() { printf 'orchestra: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

digest() {
  local sum
  sum=$(sha256sum)
  echo "${sum:0:12}"
}

# progress WHAT COMMAND... runs the command with its output in a log file, and shows each second how long it has taken
# and the last line it wrote (each 30 s where stderr is no terminal). If it fails, shows the end of the log and fails.
progress() {
  local what=$1 status=0 watcher
  shift
  local log=$ORCHESTRA_HOME/build/logs/${what//[^A-Za-z0-9]/-}.log
  mkdir -p "${log%/*}"
  : >"$log"
  show_progress "$what" "$log" &
  watcher=$!
  "$@" >"$log" 2>&1 || status=$?
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  if [ -t 2 ]; then printf '\r\e[K' >&2; fi
  if [ "$status" -ne 0 ]; then
    tail -n 40 "$log" >&2
    say "$what failed (status $status). The whole log: $log"
  fi
  return "$status"
}

show_progress() {
  local what=$1 log=$2 start=$SECONDS pause=1 pulse width last line
  if [ ! -t 2 ]; then pause=30; fi
  width=$(stty size 2>/dev/null </dev/tty | cut -d ' ' -f 2) || true
  width=${width:-80}
  exec {pulse}<> <(:)  # never readable: a sleep without a process that would outlive us
  while ! read -rt "$pause" -u "$pulse" && kill -0 $$ 2>/dev/null; do
    last=$(tail -c 400 "$log" | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 1)
    line="$what, $((SECONDS - start)) s: $last"
    if [ -t 2 ]; then printf '\r\e[K%s' "${line:0:width-1}" >&2; else say "$line"; fi
  done
}

# locked FILE COMMAND... runs the command while holding an exclusive lock on FILE; children do not inherit the lock's
# descriptor, so whatever they leave running does not hold it. COMMAND ends with `|| exit` where it must not go on:
# bash ignores `set -e` wherever a caller up the line looks at the status.
locked() {
  local file=$1
  shift
  mkdir -p "${file%/*}"
  (
    if ! flock --timeout 1 9; then
      say "another set-up is at work; waiting for it to end"
      flock 9
    fi
    "$@" 9>&-
  ) 9>"$file"
}
