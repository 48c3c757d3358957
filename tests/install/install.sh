#!/bin/bash
# Install into an empty prefix, then build and run a program against it: pkg-config and CMake, shared and static.
# Usage: install.sh SOURCE_DIR BUILD_DIR
set -eu
source=$1 build=$2
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
program=$source/tests/install/program.c

cmake --install "$build" --prefix "$prefix/usr" >"$prefix/log" || { cat "$prefix/log"; exit 1; }
libdir=$(dirname "$(find "$prefix/usr" -name libcbclient.a)")
# Relocated, as a staging folder is: the file itself says the configured prefix.
export PKG_CONFIG_PATH=$libdir/pkgconfig
variables=(--define-variable=prefix="$prefix/usr" --define-variable=libdir="$libdir"
    --define-variable=includedir="$prefix/usr/include")

echo "pkg-config, shared"
# shellcheck disable=SC2046 # flags are words
cc "$program" -o "$prefix/shared" $(pkg-config "${variables[@]}" --cflags --libs cbclient)
LD_LIBRARY_PATH=$libdir "$prefix/shared"
LD_LIBRARY_PATH=$libdir ldd "$prefix/shared" | grep -q "libcbclient.so.1 => $libdir"

echo "pkg-config, static"
rm -f "$libdir"/libcbclient.so
# shellcheck disable=SC2046
cc "$program" -o "$prefix/static" $(pkg-config "${variables[@]}" --cflags --libs --static cbclient)
"$prefix/static"
cmake --install "$build" --prefix "$prefix/usr" >"$prefix/log"

echo "an operation that throws, shared and static"
for kind in "" --static; do
    # shellcheck disable=SC2046,SC2086
    c++ "$source/tests/install/throws.cc" -o "$prefix/throws" $(pkg-config "${variables[@]}" --cflags --libs $kind cbclient)
    LD_LIBRARY_PATH=$libdir "$prefix/throws"
    rm -f "$libdir"/libcbclient.so
done
cmake --install "$build" --prefix "$prefix/usr" >"$prefix/log"

echo "find_package, shared and static"
cmake -S "$source/tests/install" -B "$prefix/build" -DCMAKE_PREFIX_PATH="$prefix/usr" >"$prefix/log"
cmake --build "$prefix/build" >"$prefix/log" || { cat "$prefix/log"; exit 1; }
"$prefix/build/shared"
"$prefix/build/static"

# Configured for /usr, it relies on the loader.
grep -q '^CMAKE_INSTALL_PREFIX:PATH=/usr$' "$build/CMakeCache.txt" && export LD_LIBRARY_PATH=$libdir
"$prefix/usr/bin/cbctl" --version
