# What the machine must have: Debian's packages, a Python 3.11, a Java 17.
# Gives the variables `python` (the interpreter that environments are made from) and JAVA_HOME.

# Tests put other places here.
os_release=${ORCHESTRA_OS_RELEASE:-/etc/os-release}
debian_java=${ORCHESTRA_DEBIAN_JAVA:-/usr/lib/jvm/java-17-openjdk-amd64}
include_path=${ORCHESTRA_INCLUDE_PATH:-/usr/include:/usr/include/x86_64-linux-gnu:/usr/local/include}

package_lists=(debian-packages)  # a command that needs more adds its own before it calls prepare

# prepare_machine: sees to the packages of setup/LIST.txt for each of the lists. A stamp keeps what was found; it is named by
# what could change that: the lists, the system, PATH and JAVA_HOME.
prepare_machine() {
  local files=("${package_lists[@]/#/$ORCHESTRA_HOME/setup/}") stamp
  files=("${files[@]/%/.txt}")
  stamp=$ORCHESTRA_HOME/build/stamps/${package_lists[-1]}-$({ cat "${files[@]}" "$os_release"; echo "$PATH ${JAVA_HOME-}"; } 2>/dev/null | digest)
  if ! recall_machine "$stamp"; then
    check_machine "${files[@]}"
    mkdir -p "${stamp%/*}"
    printf '%s\n' "$python" "$JAVA_HOME" >"$stamp"
  fi
  export JAVA_HOME
}

recall_machine() {
  local java
  [ -f "$1" ] && { read -r python && read -r java; } <"$1" && [ -x "$python" ] && [ -x "$java/bin/java" ] || return 1
  JAVA_HOME=$java
}

check_machine() {
  local missing
  if [ "$(uname -sm)" != "Linux x86_64" ]; then
    say "this is $(uname -sm); Learning Orchestra runs on Linux x86-64 only. Nothing was done."
    exit 2
  fi
  missing=$(missing_packages "$@")
  if [ -n "$missing" ]; then
    if ! is_debian_12; then refuse_system "$missing" "$@"; fi
    install_packages $missing
  fi
  python=$(find_python) || fail "no usable Python 3.11, although python3.11-venv is installed"
  JAVA_HOME=$(find_java) || fail "no Java 17, although openjdk-17-jre-headless is installed"
}

is_debian_12() {
  [ "$(. "$os_release" 2>/dev/null && echo "${ID-} ${VERSION_ID-}")" = "debian 12" ]
}

# The packages of these lists that are not there, one a line. A Python or a Java that is not Debian's will do.
missing_packages() {
  local package probe rest
  while read -r package probe rest; do
    case $package in
      '' | '#'*) continue ;;
      python3.11-venv) find_python >/dev/null ;;
      openjdk-17-jre-headless) find_java >/dev/null ;;
      *) has_package "$package" "$probe" ;;
    esac || echo "$package"
  done < <(cat "$@")
}

# On Debian the package manager knows; elsewhere the command or header that the package would bring tells.
has_package() {
  if is_debian_12; then
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
  elif [[ $2 == *.h* ]]; then
    local root
    for root in ${include_path//:/ }; do
      if [ -e "$root/$2" ]; then return 0; fi
    done
    return 1
  else
    type -P "$2" >/dev/null
  fi
}

refuse_system() {
  local missing=$1 package name
  shift
  name=$(. "$os_release" 2>/dev/null && echo "${PRETTY_NAME-}") || true
  say "this system is ${name:-unknown}, and only Debian 12 can be prepared from here. Nothing was done."
  say "Missing, by Debian's names (package, what shows that it is there, what it is for):"
  for package in $missing; do
    grep -h "^$package " "$@" | sed 's/^/  /' >&2
  done
  say "Install these, then give the same command again."
  exit 2
}

install_packages() {
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! type -P sudo >/dev/null || ! sudo -v; then
      say "packages are missing, and installing them needs root or sudo. Nothing was done. As root:"
      say "  apt-get update && apt-get install --no-install-recommends $*"
      say "Then give the same command again."
      exit 2
    fi
    root=(sudo)
  fi
  say "installing $# Debian packages: $*"
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
  progress "package lists" "${apt[@]}" update || exit
  progress "packages" "${apt[@]}" install --no-install-recommends "$@" || exit
  say "installed: $(grep -m 1 '^Need to get' "$ORCHESTRA_HOME/build/logs/packages.log" || echo 'nothing to download')"
}

# The first CPython 3.11 on PATH that can make environments; its real path, not that of a shim.
find_python() {
  local candidate
  while read -r candidate; do
    "$candidate" -I - 2>/dev/null <<'PYTHON' && return
import ctypes, ensurepip, os, ssl, sys, venv
if sys.version_info[:2] != (3, 11) or sys.implementation.name != "cpython":
    sys.exit(1)
print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
PYTHON
  done < <(type -aP python3.11 python3 python)
  return 1
}

# A home whose release file says Java 17: JAVA_HOME, then that of the java on PATH, then Debian's.
find_java() {
  local home
  for home in "${JAVA_HOME-}" "$(on_path_java_home)" "$debian_java"; do
    if [ -x "$home/bin/java" ] && grep -q '^JAVA_VERSION="17[."]' "$home/release" 2>/dev/null; then
      echo "$home"
      return
    fi
  done
  return 1
}

on_path_java_home() {
  local java
  java=$(type -P java) || return 0
  java=$(readlink -f "$java")
  echo "${java%/bin/java}"
}
