#!/usr/bin/env bash
# Starts a PostgreSQL server on loopback with an empty database, runs a command with ORLOP_TEST_POSTGRES set to the
# database's URL, and stops and removes the server, whatever happened.
#
#   tests/postgres/run.sh cargo test …
set -euo pipefail

readonly name=orlop password=orlop-postgres-password
readonly patience=60

folder=$(mktemp -d "${TMPDIR:-/tmp}/orlop-postgres.XXXXXX")
trap stop EXIT
trap 'exit 130' INT TERM

main() {
    install_missing
    # A server refuses to run as root: Debian's package made a user for it.
    as_server=()
    if ((EUID == 0)); then
        as_server=(runuser -u postgres --)
        chown postgres "$folder"
    fi
    chmod 700 "$folder"
    start
    local url=postgres://$name:$password@127.0.0.1:$port/$name
    psql --quiet --dbname "${url%/*}/postgres" --command "CREATE DATABASE $name"
    echo "a PostgreSQL server listens on 127.0.0.1:$port" >&2
    ORLOP_TEST_POSTGRES=$url "$@"
}

install_missing() {
    if find_programs; then
        return
    fi
    if ((EUID != 0)); then
        echo "install PostgreSQL's server first: apt-get install postgresql" >&2
        exit 1
    fi
    echo "installing postgresql" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql >/dev/null
    find_programs
}

# Debian keeps the server's programs out of the way, one folder for each version.
find_programs() {
    local initdb
    initdb=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort --version-sort | tail -n 1)
    initdb=${initdb:-$(command -v initdb)} || return 1
    programs=$(dirname "$initdb")
}

# Somebody else may take the port between the asking and the listening: then another one is tried.
start() {
    echo "$password" >"$folder/password"
    chmod 644 "$folder/password"
    run initdb --pgdata "$folder/data" --username "$name" --pwfile "$folder/password" \
        --auth scram-sha-256 --encoding UTF8 --no-locale
    local try
    for try in 1 2 3 4 5; do
        port=$(free_port)
        # Nothing of it outlives this script, so nothing has to reach the disk.
        if run pg_ctl start --pgdata "$folder/data" --wait --timeout "$patience" --log "$folder/server.log" \
            --options "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories= -c fsync=off"; then
            return
        fi
    done
    echo "PostgreSQL did not start:" >&2
    tail -n 20 "$folder"/*.log >&2
    exit 1
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

run() {
    local program=$1
    shift
    (cd "$folder" && "${as_server[@]}" "$programs/$program" "$@") >>"$folder/output.log" 2>&1
}

stop() {
    local status=$?
    if [[ -f $folder/data/postmaster.pid ]]; then
        run pg_ctl stop --pgdata "$folder/data" --mode immediate || true
    fi
    rm -rf "$folder"
    exit "$status"
}

main "$@"
