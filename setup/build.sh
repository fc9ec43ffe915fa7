# The C++ build, by the presets of CMakePresets.json.

# build PRESET [TARGET...]: configures where that is needed, then lets ninja do what is missing.
build() { locked "$ORCHESTRA_HOME/build/.lock" build_unlocked "$@"; }

build_unlocked() {
  local preset=$1 directory=$ORCHESTRA_HOME/build/$1
  shift
  export CCACHE_DIR=${CCACHE_DIR:-$cache/ccache}
  # Another clone of the same sources finds what this one compiled: paths below the clone are hashed relative to it.
  export CCACHE_BASEDIR=$ORCHESTRA_HOME CCACHE_NOHASHDIR=1
  cd "$ORCHESTRA_HOME"
  if [ ! -f "$directory/build.ninja" ] || ! grep -qx "ORCHESTRA_PYTHON:FILEPATH=$ORCHESTRA_PYTHON" "$directory/CMakeCache.txt"; then
    say "building ($preset); the first time takes minutes"
    progress "configure $preset" cmake --preset "$preset" -DORCHESTRA_PYTHON="$ORCHESTRA_PYTHON" || exit
  fi
  progress "build $preset" ninja -C "$directory" -j "$(jobs_at_once)" "$@" || exit
}

# As many compilers as there are cores, but no more than memory holds: one takes up to 1.5 GB.
jobs_at_once() {
  local cores fitting
  cores=$(nproc)
  fitting=$(awk '/^MemAvailable/ { print int($2 / 1500000) }' /proc/meminfo)
  if [ "$fitting" -lt 1 ]; then fitting=1; fi
  echo $((fitting < cores ? fitting : cores))
}
