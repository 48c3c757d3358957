#!/bin/bash
# Make the Debian packages, unpack all three into one folder and look at what is there; the programs run from it.
# Usage: package.sh SOURCE_DIR BUILD_DIR
set -eu
build=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

(cd "$build" && cpack -B "$folder/packages") >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
for package in "$folder"/packages/*.deb; do
    dpkg-deb -x "$package" "$folder/root"
done
libdir=$(dirname "$(find "$folder/root" -name 'libcbclient.so.1')")

missing=0
has() {
    local package=$1 path
    shift
    for path in "$@"; do
        dpkg-deb -c "$folder/packages/${package}"_*.deb | grep -qE " \./usr/$path( ->.*)?$" || {
            echo "$package has no /usr/$path"
            missing=1
        }
    done
}
has registryd sbin/registryd bin/cbctl lib/systemd/system/registryd.service lib/systemd/system/registryd.socket \
    share/man/man8/registryd.8 share/man/man1/cbctl.1 share/man/man5/registryd.conf.5 \
    share/bash-completion/completions/cbctl
has libcbclient1 'lib/[^/]*/libcbclient.so.1'
has libcbclient-dev include/cbclient.h 'lib/[^/]*/libcbclient.so' 'lib/[^/]*/libcbclient.a' \
    'lib/[^/]*/pkgconfig/cbclient.pc' 'lib/[^/]*/cmake/cbclient/cbclientConfig.cmake' share/man/man3/cbclient.3
dpkg-deb -f "$folder"/packages/registryd_*.deb Depends | grep -q 'libcbclient1 (= .*libuv1' ||
    { echo "registryd's Depends: $(dpkg-deb -f "$folder"/packages/registryd_*.deb Depends)"; missing=1; }

export LD_LIBRARY_PATH=$libdir
"$folder/root/usr/sbin/registryd" --version
"$folder/root/usr/bin/cbctl" --version
exit $missing
