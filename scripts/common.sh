# Functions shared by the scripts. Sourced, not run.
# shellcheck shell=bash

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '\n== %s\n' "$*" >&2; }
fail() {
  printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Prints the version of the project.
project_version() { sed -n 's/^project(ordem VERSION \([^ ]*\) .*/\1/p' CMakeLists.txt; }

# Prints the commit that is checked out, as `ordem version` does: 12 digits, followed by -dirty if files were changed.
project_commit() { git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null || echo unknown; }

# no_arguments "$@": for scripts without arguments: --help prints the comment at the top, anything else is an error.
no_arguments() {
  case "${1:-}" in
    '') return 0 ;;
    -h | --help)
      sed -n '2,/^[^#]/{/^# shellcheck/d;s/^# \{0,1\}//p}' "$0"
      exit 0
      ;;
    *) fail "'$1' is not an option: this script takes none" ;;
  esac
}

# Prints the packages of packages.txt for the given purposes that are not installed yet.
missing_packages() {
  local purpose package command
  while read -r purpose package command; do
    case " $* " in *" $purpose "*) ;; *) continue ;; esac
    [ -n "$command" ] && command -v "$command" >/dev/null && continue
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || printf '%s\n' "$package"
  done < <(grep -v -e '^#' -e '^$' scripts/packages.txt)
}

# install_packages PURPOSE...: installs missing packages; prints nothing if none is missing.
install_packages() {
  command -v apt-get >/dev/null || fail "this needs Debian 12 with apt-get; on other systems install the packages in scripts/packages.txt and use cmake --preset release"
  local -a missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "Installing ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "packages are missing (${missing[*]}): run this as root, install sudo, or ask an administrator to install them"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get -q update >&2 ||
    fail "the package lists could not be updated: check the network and the system's package sources"
  # Installs only the programs of Postgres: otherwise its package creates a database and starts it as a service.
  local no_cluster=/etc/postgresql-common/createcluster.d/ordem.conf installed=yes
  "${as_root[@]}" install -D -m 644 /dev/stdin "$no_cluster" <<<'create_main_cluster = off'
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "${missing[@]}" >&2 || installed=no
  "${as_root[@]}" rm -f "$no_cluster"
  [ "$installed" = yes ] ||
    fail "packages could not be installed (${missing[*]}): they come from Debian 12; is this Debian 12?"
}

# install_tracing: installs opentelemetry-cpp, if it can be had; prints nothing if it is there.
install_tracing() {
  scripts/install-opentelemetry || say "Without opentelemetry-cpp, Ordem is built without tracing"
}

# unpack_packages PURPOSE FOLDER: downloads the packages of packages.txt for that purpose and unpacks them into FOLDER, once. For
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
    "${as_root[@]}" apt-get -q update >&2 || fail "the package lists could not be updated: check the network and the system's package sources"
    (cd "$folder.new/archives" && apt-get -qq -o "APT::Sandbox::User=$(id -un)" download "${packages[@]}" >&2) ||
      fail "packages could not be downloaded (${packages[*]}): they come from Debian 12; is this Debian 12?"
  fi
  for archive in "$folder.new/archives"/*.deb; do
    dpkg -x "$archive" "$folder.new"
  done
  rm -r "$folder.new/archives"
  printf '%s' "${packages[*]}" >"$folder.new/packages"
  mv "$folder.new" "$folder"
}

# fetch_source [OPTION...] PACKAGE: downloads the files of Debian 12's source package into the current folder, with options of apt-get
# source. Uses the system's own package source, including its source packages, and does not change the system's configuration.
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
    fail "the source package could not be downloaded: ${*: -1}"
  fi
}

# install_npm_packages FOLDER: installs the packages of its package-lock.json, unless they are installed already.
install_npm_packages() {
  (
    cd "$1"
    if ! cmp -s package-lock.json node_modules/.lock-installed; then
      npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || exit 1
      cp package-lock.json node_modules/.lock-installed
    fi
  ) || fail "the npm packages of $1 could not be installed"
}

# Installs the programs that the tests of deploy/ and of the cluster need, except the server.
install_deploy_programs() {
  install_packages deploy package image
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
    fail "the configuration failed: the lines above show what is missing"
  cmake --build --preset "$preset" ${1:+--target "$@"} >&2 ||
    fail "the build failed: see the first error above"
  say "Built $preset in $((SECONDS - began)) s"
}
