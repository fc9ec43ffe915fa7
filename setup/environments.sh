# The Python environments: one per environments/*.in, installed from the lock file beside it, hashes checked.
# They are kept outside the clone, named by what they are made from, so a new lock file makes a new environment and an
# old clone still has its own.

# prepare NAME...: the machine and these environments; exports where they are.
prepare() {
  local name
  prepare_machine
  for name in "$@"; do
    environment "$name"
    export "$(environment_variable "$name")=$(environment_python "$name")"
  done
}

# ORCHESTRA_PYTHON for python, else ORCHESTRA_<NAME>_PYTHON.
environment_variable() {
  local upper=${1^^}
  if [ "$1" = python ]; then echo ORCHESTRA_PYTHON; else echo "ORCHESTRA_${upper//-/_}_PYTHON"; fi
}

environment_python() { echo "$(environment_path "$1")/bin/python"; }

environment_path() {
  local locks=("$ORCHESTRA_HOME/environments/build.lock" "$ORCHESTRA_HOME/environments/$1.lock")
  if [ ! -f "${locks[1]}" ]; then fail "there is no environments/$1.lock"; fi
  echo "$cache/environments/$1-$({ cat "${locks[@]}"; echo "$python"; } | digest)"
}

environment() {
  local name=$1 path
  path=$(environment_path "$name")
  if [ ! -x "$path/bin/python" ]; then
    locked "$cache/environments/.lock" make_environment "$name" "$path"
  fi
  link_environment "$name" "$path"
  index_tools "$name" "$path"
}

# Made beside its place and renamed when it is whole. We hold the lock, so another one's remains are nobody's; but a pip
# that outlived its killed set-up may still write to them: hence a new folder each time.
make_environment() {
  local name=$1 path=$2 making=$cache/environments/.making start=$SECONDS work
  if [ -x "$path/bin/python" ]; then return; fi
  say "making the environment $name. $(sed -n 's/^# Download: /To download: /p' "$ORCHESTRA_HOME/environments/$name.in")"
  rm -rf "$making" 2>/dev/null || true
  mkdir -p "$making"
  trap "rm -rf '$making'" EXIT
  work=$(mktemp -d "$making/XXXXXX") || exit
  mkdir "$work/tmp"
  progress "environment $name" fill_environment "$name" "$work/$name" || exit
  relocate "$work/$name" "$path"
  mv "$work/$name" "$path" || exit
  say "made the environment $name in $((SECONDS - start)) s"
}

# Wheels only, except pyspark, which comes as source: built without isolation, by the locked setuptools.
fill_environment() {
  local locks=$ORCHESTRA_HOME/environments
  local pip=("$2/bin/python" -m pip --disable-pip-version-check install --require-hashes --only-binary :all:)
  export TMPDIR=${2%/*}/tmp PYTHONNOUSERSITE=1 PIP_USER=0
  unset PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX
  "$python" -m venv "$2" &&
    "${pip[@]}" -r "$locks/build.lock" &&
    "${pip[@]}" --no-build-isolation --no-binary pyspark -r "$locks/$1.lock"
}

# Its scripts name the directory it was made in; let them name the one it will be in.
relocate() {
  { grep -rlI --exclude-dir=lib "$1" "$1" || true; } | xargs -r sed -i "s|$1|$2|g"
}

# build/environments/NAME, for cmake and for people.
link_environment() {
  local link=$ORCHESTRA_HOME/build/environments/$1
  if [ "$(readlink "$link" 2>/dev/null)" != "$2" ]; then
    mkdir -p "${link%/*}"
    ln -sfn "$2" "$link"
  fi
}

# What the tools' modules have to be called, for the server's checks: build/tool-index/NAME.json. Kept beside the environments, named by
# the environment and the code that reads it.
index_tools() {
  local tools index link=$ORCHESTRA_HOME/build/tool-index/$1.json code=$ORCHESTRA_HOME/runtime/python
  case $1 in
    python) tools=(--tool scikitlearn) ;;
    tensorflow) tools=(--tool scikitlearn --tool tensorflow) ;;
    *) return ;;
  esac
  [ -e "$code/orchestra_tool_index.py" ] || return 0
  index=$cache/tool-index/${2##*/}-$(cat "$code"/orchestra_tool_index.py "$code"/orchestra_runtime/{callables,calls,refusals,tool_index,tools}.py | digest).json
  if [ ! -e "$index" ]; then
    mkdir -p "${index%/*}"
    progress "index of tools $1" "$2/bin/python" -I "$code/orchestra_tool_index.py" "${tools[@]}" "$index" || exit
  fi
  if [ "$(readlink "$link" 2>/dev/null)" != "$index" ]; then
    mkdir -p "${link%/*}"
    ln -sfn "$index" "$link"
  fi
}
