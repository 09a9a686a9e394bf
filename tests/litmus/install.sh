#!/usr/bin/env bash
# Installs the WebDAV test suite litmus from Debian, unless it is there.
set -euo pipefail

if command -v litmus >/dev/null; then
    exit
fi
if ! command -v apt-get >/dev/null || [[ $(id -u) != 0 ]]; then
    echo "litmus is missing, and installing it takes root and apt-get: run \`sudo apt-get install litmus\`" >&2
    exit 1
fi
echo "installing litmus" >&2
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends litmus >/dev/null
