# Single files that tests need, of files.txt. They are kept beside the environments, named by their digests.

# fetch NAME: downloads it if it is not there yet.
fetch() {
  local sum address
  read -r sum address < <(awk -v name="$1" '$2 == name { print $1, $3 }' "$ORCHESTRA_HOME/setup/files.txt") || fail "setup/files.txt has no $1"
  if [ ! -f "$(file_path "$1")" ]; then locked "$cache/files/.lock" download "$1" "$sum" "$address"; fi
}

file_path() {
  local sum
  sum=$(awk -v name="$1" '$2 == name { print $1 }' "$ORCHESTRA_HOME/setup/files.txt")
  echo "$cache/files/${sum:0:12}/$1"
}

# download NAME SHA256 URL: gets its name when it is whole and what it should be.
download() {
  local path part=$cache/files/.part
  path=$(file_path "$1")
  if [ -f "$path" ]; then return; fi
  progress "download of $1" curl --fail --silent --show-error --location --retry 3 --output "$part" "$3" || exit
  if ! echo "$2  $part" | sha256sum --check --status; then
    rm -f "$part"
    fail "$3 is not what setup/files.txt says: its SHA-256 is another"
  fi
  mkdir -p "${path%/*}"
  mv "$part" "$path" || exit
}
