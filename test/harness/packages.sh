#!/bin/sh
# The Debian packages of test/debian-packages.txt.
#   packages.sh install   puts the missing `install` ones on this machine; starts no service
#   packages.sh unpack    downloads the `unpack` ones, with what they lack here, into .cache/debian/PACKAGE
#   packages.sh check     names what is missing; exit status 1 if anything is
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
list="$root/test/debian-packages.txt"
cache="$root/.cache/debian"
export DEBIAN_FRONTEND=noninteractive

named() {
  sed -e 's/#.*//' "$list" | awk -v how="$1" '$1 == how { print $2 }' | sort -u
}

missing_installed() {
  for package in $(named install); do
    state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    case $state in ii*) ;; *) echo "$package" ;; esac
  done
}

missing_unpacked() {
  for package in $(named unpack); do
    [ -e "$cache/$package/complete" ] || echo "$package"
  done
}

need_root() {
  [ "$(id -u)" = 0 ] && return
  echo "packages.sh: only root can do this. Missing here: $*" >&2
  exit 1
}

updated=no
update_once() {
  [ $updated = yes ] && return
  apt-get -qq update
  updated=yes
}

# A package's maintainer scripts would start its service: exit status 101 of policy-rc.d forbids that.
forbid_services() {
  policy=/usr/sbin/policy-rc.d
  [ -e $policy ] && return
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
}

install() {
  packages=$(missing_installed)
  [ -n "$packages" ] || return 0
  need_root $packages
  echo "installing" $packages
  forbid_services
  update_once
  apt-get -qq -y --no-install-recommends install $packages >/dev/null
}

unpack() {
  packages=$(missing_unpacked)
  [ -n "$packages" ] || return 0
  need_root $packages
  update_once
  for package in $packages; do
    echo "downloading $package"
    rm -rf "${cache:?}/$package"
    mkdir -p "$cache/$package/partial"
    # Without a sandbox user, which could not write into this folder.
    apt-get -qq -y --no-install-recommends --download-only \
      -o APT::Sandbox::User=root -o Dir::Cache::archives="$cache/$package" install "$package" >/dev/null
    rm -rf "$cache/$package/partial" "$cache/$package/lock"
    : >"$cache/$package/complete"
  done
}

check() {
  packages=$(missing_installed; missing_unpacked)
  [ -n "$packages" ] || return 0
  echo "missing:" $packages
  return 1
}

case ${1:-} in
  install) install ;;
  unpack) unpack ;;
  check) check ;;
  *) sed -n '2,5s/^# //p' "$0"; exit 64 ;;
esac
