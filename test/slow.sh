#!/bin/sh
# Runs the slow suites, against real programs, one after another:  test/slow.sh [FILE …]
#
# Everything happens in network, mount and process namespaces of its own: port 25 is free, public addresses can be
# used without touching the machine, no packet can leave, and when this script ends, however it ends, every process
# and every mount that a suite made is gone.
# Needs root, a Node new enough on PATH (or in $NODE) and the packages of test/debian-packages.txt.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)

if [ "${HIKYAKU_SLOW:-}" != inside ]; then
  [ "$(id -u)" = 0 ] || { echo "test/slow.sh: needs root, for its namespaces and for other users" >&2; exit 1; }
  "$root/test/harness/packages.sh" check >&2 ||
    { echo "test/slow.sh: run test/harness/packages.sh install, then unpack" >&2; exit 1; }
  HIKYAKU_SLOW=inside exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi

# Addresses that look public, so that rules about loopback and private networks see an outside world:
# .25 another site's mail server, .26 a second one, .53 the resolver (test/harness/dns.ts).
ip link set lo up
for address in 11.22.33.25/32 11.22.33.26/32 11.22.33.53/32 2a11:2233::25/128 2a11:2233::26/128; do
  ip addr add $address dev lo
done

tmp=$(mktemp -d "${TMPDIR:-/tmp}/hikyaku-slow.XXXXXX")
# Also what lies below the mount must let other users through: inside a peer's root that is what is seen.
chmod 755 "$tmp"
mount -t tmpfs -o mode=1777 tmpfs "$tmp"
trap 'umount -l "$tmp"; rmdir "$tmp"' EXIT
printf 'nameserver 11.22.33.53\noptions timeout:1 attempts:1\n' >"$tmp/resolv.conf"
[ ! -e /etc/resolv.conf ] || mount --bind "$tmp/resolv.conf" "$(readlink -f /etc/resolv.conf)"

cd "$root"
[ $# -gt 0 ] || set -- test/harness/*.slow.test.ts test/interop/*.slow.test.ts \
  test/chain/*.slow.test.ts test/faults/*.slow.test.ts
TMPDIR="$tmp" "${NODE:-node}" --test --test-reporter="$root/tools/reporter.ts" \
  --test-concurrency=1 --test-timeout=900000 "$@"
