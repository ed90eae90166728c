# What the scripts share. Sourced, not run.
# shellcheck shell=bash

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '\n== %s\n' "$*" >&2; }
fail() {
  printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# no_arguments "$@": for a script that takes none: --help shows the comment at its top, anything else is refused.
no_arguments() {
  case "${1:-}" in
    '') return 0 ;;
    -h | --help)
      sed -n '2,/^[^#]/{/^# shellcheck/d;s/^# \{0,1\}//p}' "$0"
      exit 0
      ;;
    *) fail "'$1' is not an option: it takes none" ;;
  esac
}

# The packages of packages.txt for the purposes named that are not there yet.
missing_packages() {
  local purpose package command
  while read -r purpose package command; do
    case " $* " in *" $purpose "*) ;; *) continue ;; esac
    [ -n "$command" ] && command -v "$command" >/dev/null && continue
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || printf '%s\n' "$package"
  done < <(grep -v -e '^#' -e '^$' scripts/packages.txt)
}

# install_packages PURPOSE...: installs what is missing, and says nothing if nothing is.
install_packages() {
  command -v apt-get >/dev/null || fail "this needs Debian 12 with apt-get; on other systems install what scripts/packages.txt lists and use cmake --preset release"
  local -a missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "Installing ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "packages are missing (${missing[*]}): run this as root, or install sudo, or have them installed"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get -q update >&2 ||
    fail "the list of packages could not be fetched: check the network and the system's package sources"
  # Of Postgres only the programs are wanted: without this its package makes a database and starts it as a service.
  local no_cluster=/etc/postgresql-common/createcluster.d/ordem.conf installed=yes
  "${as_root[@]}" install -D -m 644 /dev/stdin "$no_cluster" <<<'create_main_cluster = off'
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "${missing[@]}" >&2 || installed=no
  "${as_root[@]}" rm -f "$no_cluster"
  [ "$installed" = yes ] ||
    fail "packages could not be installed (${missing[*]}): they are Debian 12's; is this Debian 12?"
}

# unpack_packages PURPOSE FOLDER: fetches the packages of packages.txt for that purpose and unpacks them into FOLDER, once: for
# programs whose packages would start services.
unpack_packages() {
  local folder=$2 archive
  local -a packages as_root=()
  mapfile -t packages < <(awk -v purpose="$1" '$1 == purpose { print $2 }' scripts/packages.txt)
  [ "$(cat "$folder/packages" 2>/dev/null)" != "${packages[*]}" ] || return 0
  say "Unpacking ${packages[*]}"
  rm -rf "$folder" "$folder.new"
  mkdir -p "$folder.new/archives"
  if ! (cd "$folder.new/archives" && apt-get -qq -o "APT::Sandbox::User=$(id -un)" download "${packages[@]}" >&2); then
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get -q update >&2 || fail "the list of packages could not be fetched: check the network and the system's package sources"
    (cd "$folder.new/archives" && apt-get -qq -o "APT::Sandbox::User=$(id -un)" download "${packages[@]}" >&2) ||
      fail "packages could not be fetched (${packages[*]}): they are Debian 12's; is this Debian 12?"
  fi
  for archive in "$folder.new/archives"/*.deb; do
    dpkg -x "$archive" "$folder.new"
  done
  rm -r "$folder.new/archives"
  printf '%s' "${packages[*]}" >"$folder.new/packages"
  mv "$folder.new" "$folder"
}

# fetch_source [OPTION...] PACKAGE: fetches the files of Debian 12's source package into the current folder, with options of apt-get source.
# From the system's own package source, asked for source packages too; nothing of the system's configuration is changed.
fetch_source() {
  local uri here=$PWD
  # shellcheck disable=SC2016
  uri=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT) $(RELEASE)' 'Created-By: Packages' |
    awk '$2 == "main" && $3 ~ /^(bookworm|stable|oldstable)$/ { print $1; exit }')
  [ -n "$uri" ] || fail "no Debian 12 package source is configured (apt-get indextargets names none)"
  mkdir -p apt/{lists/partial,cache/archives/partial}
  printf 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s bookworm main\n' "$uri" >apt/sources.list
  local apt_here=(apt-get -q -o "Dir::Etc::sourcelist=$here/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::Lists=$here/apt/lists" -o "Dir::Cache=$here/apt/cache" -o "APT::Sandbox::User=$(id -un)")
  if ! "${apt_here[@]}" update >&2 || ! "${apt_here[@]}" source --download-only "$@" >&2; then
    fail "the source package could not be fetched: ${*: -1}"
  fi
}

# install_npm_packages FOLDER: what its package-lock.json names, if that is not there yet.
install_npm_packages() {
  (
    cd "$1"
    if ! cmp -s package-lock.json node_modules/.lock-installed; then
      npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || exit 1
      cp package-lock.json node_modules/.lock-installed
    fi
  ) || fail "the npm packages of $1 could not be installed"
}

# What the tests of deploy/ need besides the server, for the cluster too.
install_deploy_programs() {
  install_packages deploy
  unpack_packages unpacked build/deploy-programs
  install_npm_packages tests/deploy
}

# build PRESET [TARGET...]
build() {
  local preset=$1 began=$SECONDS
  shift
  [ "$preset" != tsan ] || scripts/build-instrumented-caf
  say "Building the preset $preset in build/$preset"
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >&2 ||
    fail "the configuration failed: the lines above say what is missing"
  cmake --build --preset "$preset" ${1:+--target "$@"} >&2 ||
    fail "the build failed: the first error above says where"
  say "Built $preset in $((SECONDS - began)) s"
}
