#!/usr/bin/env bash
# Starts a PostgreSQL server in a temporary folder on loopback, runs a command with ORLOP_TEST_POSTGRES set to its
# URL, and stops everything, whatever happened.
#
#   tests/postgres/run.sh cargo test …
set -euo pipefail

folder=$(mktemp -d "${TMPDIR:-/tmp}/orlop-postgres.XXXXXX")
server=

main() {
    trap stop EXIT
    trap 'exit 130' INT TERM
    install_missing
    programs=$(dirname "$(find_initdb)")
    port=$(free_port)
    start
    ORLOP_TEST_POSTGRES=postgres://orlop@127.0.0.1:$port/postgres "$@"
}

find_initdb() {
    # Debian keeps the programs out of the path.
    { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null || true; } |
        tail -n 1 | xargs -r readlink -f
}

install_missing() {
    if [[ -n $(find_initdb) ]]; then
        return
    fi
    if ((EUID != 0)); then
        echo "PostgreSQL's initdb is missing: install Debian's package \`postgresql\`, or run this as root" >&2
        exit 1
    fi
    echo "installing postgresql" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql >/dev/null
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# The server refuses to run as root.
unprivileged() {
    if ((EUID == 0)); then
        cd "$folder" && exec setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
    else
        exec "$@"
    fi
}

start() {
    if ((EUID == 0)); then
        chown nobody:nogroup "$folder"
    fi
    (unprivileged "$programs/initdb" --pgdata "$folder/data" --username orlop --auth trust \
        --encoding UTF8 --locale C --no-sync) >"$folder/output.log" 2>&1 || fail "initdb failed"
    (unprivileged "$programs/postgres" -D "$folder/data" -h 127.0.0.1 -p "$port" -k "$folder" \
        -c fsync=off -c max_connections=500) >>"$folder/output.log" 2>&1 &
    server=$!
    local until=$((SECONDS + 60))
    until "$programs/pg_isready" --quiet --host 127.0.0.1 --port "$port"; do
        kill -0 "$server" 2>/dev/null || fail "PostgreSQL ended at once"
        ((SECONDS < until)) || fail "PostgreSQL did not come up within 60 s"
        sleep 0.1
    done
}

fail() {
    echo "$1:" >&2
    tail -n 20 "$folder/output.log" >&2
    exit 1
}

stop() {
    local status=$?
    if [[ -n $server ]]; then
        kill -INT "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$folder"
    exit "$status"
}

main "$@"
