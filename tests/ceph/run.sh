#!/usr/bin/env bash
# Starts a Ceph cluster of one monitor, one OSD in memory and one gateway on loopback, runs a command with
# ORLOP_GATEWAY, ORLOP_GATEWAY_KEY and ORLOP_GATEWAY_SECRET set, and stops everything, whatever happened.
#
#   tests/ceph/run.sh cargo test …
set -euo pipefail

readonly packages=(ceph-mon ceph-osd radosgw ceph-common)
readonly key=ORLOPGATEWAYKEY secret=orlop+gateway/secret
readonly patience=60

folder=$(mktemp -d "${TMPDIR:-/tmp}/orlop-ceph.XXXXXX")
started=()

main() {
    install_missing
    trap stop EXIT
    trap 'exit 130' INT TERM
    mon_port=$(free_port)
    gateway_port=$(free_port)
    configure
    start_monitor
    start_osd
    start_gateway
    make_user
    make_bucket
    echo "a Ceph gateway listens on $gateway" >&2
    ORLOP_GATEWAY=$gateway ORLOP_GATEWAY_KEY=$key ORLOP_GATEWAY_SECRET=$secret "$@"
}

install_missing() {
    if command -v ceph-mon ceph-osd radosgw radosgw-admin >/dev/null; then
        return
    fi
    echo "installing ${packages[*]}" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

configure() {
    gateway=http://127.0.0.1:$gateway_port
    conf=$folder/ceph.conf
    ring=$folder/keyring
    cat >"$conf" <<END
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = v2:127.0.0.1:$mon_port
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = $ring
run dir = $folder
admin socket = $folder/\$name.asok
log file = $folder/\$name.log
pid file = $folder/\$name.pid
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
[mon.a]
mon data = $folder/mon
[osd.0]
osd objectstore = memstore
osd data = $folder/osd
memstore device bytes = 2147483648
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:$gateway_port
rgw data = $folder/rgw
END
    mkdir "$folder/mon" "$folder/osd" "$folder/rgw"
    ceph-authtool --create-keyring "$ring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
    ceph-authtool "$ring" --gen-key -n client.admin \
        --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
    ceph-authtool "$ring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' >/dev/null
    ceph-authtool "$ring" --gen-key -n client.rgw.a --cap mon 'allow rw' --cap osd 'allow rwx' >/dev/null
}

start_monitor() {
    local fsid
    fsid=$(sed -n 's/^fsid = //p' "$conf")
    monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$mon_port]" "$folder/monmap" >/dev/null
    ceph-mon --conf "$conf" --mkfs -i a --monmap "$folder/monmap" --keyring "$ring"
    start ceph-mon --conf "$conf" -f -i a
    ceph_admin auth import -i "$ring" >/dev/null 2>&1
}

start_osd() {
    local uuid
    uuid=$(cat /proc/sys/kernel/random/uuid)
    ceph_admin osd new "$uuid" 0 >/dev/null
    cp "$ring" "$folder/osd/keyring"
    ceph-osd --conf "$conf" --mkfs -i 0 --osd-uuid "$uuid" >/dev/null 2>&1
    start ceph-osd --conf "$conf" -f -i 0
    ceph_admin osd crush add osd.0 1.0 root=default >/dev/null 2>&1
    wait_for "the OSD" osd_is_up
}

osd_is_up() {
    ceph_admin osd stat | grep -q '1 up'
}

start_gateway() {
    start radosgw --conf "$conf" -f -n client.rgw.a
    wait_for "the gateway" curl --silent --output /dev/null "$gateway"
}

make_user() {
    radosgw-admin --conf "$conf" user create --uid orlop --display-name Orlop \
        --access-key "$key" --secret-key "$secret" >/dev/null 2>&1
}

make_bucket() {
    curl --silent --show-error --fail --request PUT "$gateway/suite" \
        --aws-sigv4 aws:amz:us-east-1:s3 --user "$key:$secret" \
        --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD'
}

ceph_admin() {
    ceph --conf "$conf" --keyring "$ring" --connect-timeout "$patience" "$@"
}

start() {
    "$@" >>"$folder/output.log" 2>&1 &
    started+=($!)
}

wait_for() {
    local what=$1 until=$((SECONDS + patience))
    shift
    until "$@" 2>/dev/null; do
        if ((SECONDS >= until)); then
            echo "$what did not come up within $patience s:" >&2
            tail -n 20 "$folder"/*.log >&2
            exit 1
        fi
        sleep 0.2
    done
}

stop() {
    local status=$?
    if ((${#started[@]})); then
        kill -9 "${started[@]}" 2>/dev/null || true
        wait "${started[@]}" 2>/dev/null || true
    fi
    rm -rf "$folder"
    exit "$status"
}

main "$@"
