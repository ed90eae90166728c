# A Postgres for `scripts/run --with-postgres`: keeps its data in a folder and listens only on a unix socket, for this user and root.
# Sourced after common.sh, not run. start_postgres sets postgres_folder and postgres_url.
# shellcheck shell=bash

for name in "${!PG@}"; do unset "$name"; done # clear settings that point to another Postgres

postgres_binaries=/usr/lib/postgresql/15/bin
postgres_start_seconds_max=60
postgres_stop_seconds_max=60
postgres_pid=
postgres_socket_folder=

# Runs a command as the user that runs Postgres. Postgres refuses to run as root, so for root it is the user postgres of its package.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid postgres --regid postgres --init-groups "$@"
  else
    "$@"
  fi
}

# make_cluster FOLDER: creates the database files under a temporary name and renames the folder when it is complete.
make_cluster() {
  local fresh=$1.new
  rm -rf "$fresh"
  mkdir -p "$fresh"
  [ "$(id -u)" -ne 0 ] || chown postgres: "$fresh"
  chmod 700 "$fresh"
  as_postgres test -w "$fresh" || {
    rm -rf "$fresh"
    fail "Postgres can't run as root, and the user postgres can't reach $1: choose another --data-dir, or run this as another user"
  }
  as_postgres "$postgres_binaries/initdb" --pgdata="$fresh" --username=ordem --auth=trust --encoding=UTF8 --locale=C.UTF-8 >&2 ||
    fail "initdb could not create a database in $fresh"
  mv "$fresh" "$1"
}

# start_postgres FOLDER: creates the database if necessary, starts Postgres and waits until it accepts connections.
start_postgres() {
  mkdir -p "$(dirname "$1")"
  postgres_folder=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
  [ -e "$postgres_folder/PG_VERSION" ] || make_cluster "$postgres_folder"
  as_postgres test -w "$postgres_folder" || fail "the user that runs Postgres cannot write to $postgres_folder"
  if as_postgres "$postgres_binaries/pg_ctl" --pgdata="$postgres_folder" status >/dev/null 2>&1; then
    fail "a Postgres is already running on $postgres_folder, as process $(head -n 1 "$postgres_folder/postmaster.pid"): is another scripts/run active?"
  fi

  # Under /tmp, because the path of a socket is limited to 107 bytes.
  postgres_socket_folder=$(mktemp -d /tmp/ordem-postgres.XXXXXX)
  [ "$(id -u)" -ne 0 ] || chown postgres: "$postgres_socket_folder"
  # Every step replaces itself by exec, so the pid of the job is that of Postgres.
  local log=$postgres_folder/postgres.log
  local -a launch=(setsid setpriv --pdeathsig INT)
  [ "$(id -u)" -ne 0 ] || launch+=(--reuid postgres --regid postgres --init-groups)
  "${launch[@]}" "$postgres_binaries/postgres" -D "$postgres_folder" -k "$postgres_socket_folder" -c listen_addresses= >>"$log" 2>&1 </dev/null &
  postgres_pid=$!

  local deadline=$((SECONDS + postgres_start_seconds_max))
  until "$postgres_binaries/pg_isready" -q -h "$postgres_socket_folder" -d postgres; do
    kill -0 "$postgres_pid" 2>/dev/null || {
      tail -n 5 "$log" >&2
      fail "Postgres did not start: see the lines above, from $log"
    }
    [ "$SECONDS" -lt "$deadline" ] || fail "Postgres accepted no connections within $postgres_start_seconds_max s: see $log"
    sleep 0.1
  done
  make_database
  # shellcheck disable=SC2034  # for scripts/run
  postgres_url="postgresql://ordem@/ordem?host=$postgres_socket_folder"
}

# Creates the database ordem if it does not exist.
make_database() {
  local -a psql=("$postgres_binaries/psql" -X -h "$postgres_socket_folder" -U ordem -d postgres -v ON_ERROR_STOP=1 -Atqc)
  local there
  there=$("${psql[@]}" "SELECT count(*) FROM pg_database WHERE datname = 'ordem'") || fail "Postgres did not answer"
  [ "$there" = 1 ] || "${psql[@]}" "CREATE DATABASE ordem TEMPLATE template0" || fail "the database ordem could not be created"
}

# Stops Postgres by its pid with a fast shutdown; after a timeout with an immediate one, which requires recovery at the next start.
stop_postgres() {
  local pid=$postgres_pid deadline=$((SECONDS + postgres_stop_seconds_max))
  postgres_pid=
  if [ -n "$pid" ]; then
    kill -INT "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
      [ "$SECONDS" -lt "$deadline" ] || kill -QUIT "$pid" 2>/dev/null || true
      sleep 0.1
    done
    wait "$pid" 2>/dev/null || true
  fi
  [ -z "$postgres_socket_folder" ] || rm -rf "$postgres_socket_folder"
}
