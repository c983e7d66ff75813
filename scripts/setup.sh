#!/usr/bin/env bash
# Creates .venv and installs what is missing, including system packages.  Usage: scripts/setup.sh [EXTRA]
#
# Needs Python 3.11 or newer.  Installs system packages with apt, and with sudo if it does not run as root.  If that is
# impossible, it prints which package to install.
set -euo pipefail
cd "$(dirname "$0")/.."
extra=${1:-}
venv=${VENV:-.venv}

fail() { echo "setup: $*" >&2; exit 1; }

install() {  # install PACKAGE...: install Debian packages, as root or with sudo
    echo "setup: installing $*" >&2
    command -v apt-get >/dev/null || fail "$* is missing, and this machine has no apt; install the equivalent package"
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "$* is missing; ask an administrator to run: apt-get install $*"
        as_root=(sudo)
    fi
    { "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >&2 ||
        fail "$* could not be installed; try: sudo apt-get install $*"
}

python=${PYTHON:-}
if [ -z "$python" ]; then
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$candidate; break; fi
    done
fi
[ -n "$python" ] || fail "Python 3.11 or newer was not found"

command -v fastq-dump >/dev/null || install sra-toolkit
[ "$extra" != dev ] || command -v git >/dev/null || install git
[ "$extra" != dev ] || command -v unshare >/dev/null || install util-linux
# The tests publish to a real S3 server, Ceph's gateway, and start and stop it.
[ "$extra" != dev ] || { command -v radosgw && command -v ceph-mon && command -v ceph-osd; } >/dev/null ||
    install radosgw ceph-mon ceph-osd
# The fault suite compiles small libraries that move the clock and break a disk, and mounts a small disk in a namespace
# (util-linux).
[ "$extra" != dev ] || { command -v cc >/dev/null && [ -e /usr/include/stdlib.h ]; } || install gcc libc6-dev
[ "$extra" != dev ] || command -v curl >/dev/null || install curl
[ "$extra" != dev ] || command -v ip >/dev/null || [ -x /usr/sbin/ip ] || [ -x /sbin/ip ] || install iproute2
# The tests of workers on other hosts start PostgreSQL and Redis.
[ "$extra" != dev ] || command -v redis-server >/dev/null || install redis-server
[ "$extra" != dev ] || [ -n "$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] || install postgresql
# The tests check and show the man pages.
[ "$extra" != dev ] || command -v mandoc >/dev/null || install mandoc
[ "$extra" != dev ] || command -v openssl >/dev/null || install openssl
# The tests complete command lines in each shell.
[ "$extra" != dev ] || { command -v zsh && command -v fish; } >/dev/null || install zsh fish
# The tests put `wort serve` behind two proxies, and check the systemd units.
[ "$extra" != dev ] || { [ -x /usr/sbin/nginx ] && command -v caddy; } >/dev/null || install nginx-light caddy
[ "$extra" != dev ] || command -v systemd-analyze >/dev/null || install systemd
# The tests check the scripts that `wort batch` writes, and run them on a real cluster of two nodes on this machine.
[ "$extra" != dev ] || command -v shellcheck >/dev/null || install shellcheck
[ "$extra" != dev ] || { [ -x /usr/sbin/slurmctld ] && [ -x /usr/sbin/slurmd ] && [ -x /usr/sbin/munged ]; } ||
    install slurmctld slurmd slurm-client munge
# The tests read the pages of `wort serve` in a browser.
[ "$extra" != dev ] || { command -v chromium && command -v chromedriver; } >/dev/null || install chromium chromium-driver

if ! [ -x "$venv/bin/python" ]; then
    # Debian has ensurepip, which venv needs, in a separate package.
    "$python" -c 'import ensurepip' 2>/dev/null || install python3-venv
    "$python" -m venv "$venv" || fail "$python cannot create a virtual environment"
fi

wanted="$extra $(cat pyproject.toml constraints.txt | cksum)"
installed=$(cat "$venv/.installed" 2>/dev/null || true)
if [ "$installed" != "$wanted" ] && [ "$installed" != "dev ${wanted#* }" ]; then  # dev has all other extras
    echo "setup: installing wort into $venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".${extra:+[$extra]}" >&2
    echo "$wanted" >"$venv/.installed"
fi

# The validator of RO-Crates needs an older version of rich than wort's tests, so that it has an environment of its own.
if [ "$extra" = dev ]; then
    wanted=$(cksum <scripts/validator.txt)
    if [ "$(cat "$venv/validator/.installed" 2>/dev/null)" != "$wanted" ]; then
        echo "setup: installing the validator of RO-Crates into $venv/validator" >&2
        "$venv/bin/python" -m venv "$venv/validator"
        "$venv/validator/bin/python" -m pip install --quiet --disable-pip-version-check -r scripts/validator.txt >&2
        echo "$wanted" >"$venv/validator/.installed"
    fi
fi
