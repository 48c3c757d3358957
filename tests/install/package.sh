#!/bin/bash
# Make the Debian packages as ./dev package does, unpack all three into one folder and look at what is there; the programs
# run from it.
# Usage: package.sh SOURCE_DIR
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

{
    cmake -S "$1" -B "$folder/build" -G Ninja -DCMAKE_INSTALL_PREFIX=/usr -DCB_TESTS=OFF -DCB_EXAMPLES=OFF \
        -DCB_BENCH=OFF && cmake --build "$folder/build" && (cd "$folder/build" && cpack -B "$folder/packages")
} >"$folder/log" 2>&1 || { tail -n 40 "$folder/log"; exit 1; }
for package in "$folder"/packages/*.deb; do
    dpkg-deb -x "$package" "$folder/root"
done
libdir=$(dirname "$(find "$folder/root" -name 'libcbclient.so.1')")

missing=0
has() {
    local package=$1 path content
    shift
    content=$(dpkg-deb -c "$folder/packages/${package}"_*.deb)
    for path in "$@"; do
        grep -qE " \./usr/$path( ->.*)?$" <<<"$content" || {
            echo "$package has no /usr/$path"
            missing=1
        }
    done
}
has registryd sbin/registryd bin/cbctl lib/systemd/system/registryd.service lib/systemd/system/registryd.socket \
    share/man/man8/registryd.8 share/man/man1/cbctl.1 share/man/man5/registryd.conf.5 \
    share/bash-completion/completions/cbctl share/bash-completion/completions/registryd \
    share/registryd/monitoring/registryd.rules.yml share/registryd/monitoring/grafana.json
has libcbclient1 'lib/[^/]*/libcbclient.so.1'
has libcbclient-dev include/cbclient.h 'lib/[^/]*/libcbclient.so' 'lib/[^/]*/libcbclient.a' \
    'lib/[^/]*/pkgconfig/cbclient.pc' 'lib/[^/]*/cmake/cbclient/cbclientConfig.cmake' share/man/man3/cbclient.3
dpkg-deb -f "$folder"/packages/registryd_*.deb Depends | grep -q 'libcbclient1 (= .*libuv1' ||
    { echo "registryd's Depends: $(dpkg-deb -f "$folder"/packages/registryd_*.deb Depends)"; missing=1; }

dpkg-deb -I "$folder"/packages/libcbclient1_*.deb shlibs | grep -q '^libcbclient 1 ' || {
    echo "libcbclient1 does not say what depends on it"
    missing=1
}
while read -r conffile; do
    [[ -f $folder/root$conffile ]] || { echo "registryd has no conffile $conffile"; missing=1; }
done < <(dpkg-deb -I "$folder"/packages/registryd_*.deb conffiles)
[[ -f $folder/root/etc/registryd/registryd.conf ]] || { echo "registryd has no /etc/registryd/registryd.conf"; missing=1; }
grep -q '^ExecStart=/usr/sbin/registryd .*/etc/registryd/registryd.conf$' \
    "$folder/root/usr/lib/systemd/system/registryd.service" || { echo "registryd.service starts something else"; missing=1; }

export LD_LIBRARY_PATH=$libdir
"$folder/root/usr/sbin/registryd" --check --config "$folder/root/etc/registryd/registryd.conf"
"$folder/root/usr/sbin/registryd" --version
"$folder/root/usr/bin/cbctl" --version
exit $missing
