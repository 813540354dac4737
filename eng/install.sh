#!/bin/bash
# Installs the Debian packages that the build needs and that are absent. INSTALL=no only lists them.
set -euo pipefail

# gcc, libc6-dev: the linker step of librum.so and the C programs; g++: the C++ tests; zlib1g-dev: the AOT runtime links libz.
PACKAGES=(gcc g++ libc6-dev zlib1g-dev make pkg-config)

if ! command -v dotnet > /dev/null; then
    echo "The .NET 10 SDK is needed and not on the PATH: https://dotnet.microsoft.com/download/dotnet/10.0" >&2
    exit 1
fi
if ! dotnet --list-sdks | grep -q '^10\.'; then
    echo "The .NET 10 SDK is needed; dotnet --list-sdks shows: $(dotnet --list-sdks | tr '\n' ' ')" >&2
    exit 1
fi

# pkgconf provides pkg-config where a distribution has replaced it.
present() {
    case $1 in
        pkg-config) command -v pkg-config > /dev/null ;;
        *) dpkg-query -W -f='${Status}' "$1" 2> /dev/null | grep -q 'ok installed' ;;
    esac
}

missing=()
if command -v dpkg-query > /dev/null; then
    for package in "${PACKAGES[@]}"; do present "$package" || missing+=("$package"); done
else
    for tool in gcc g++ make pkg-config; do command -v "$tool" > /dev/null || missing+=("$tool"); done
    if [ ${#missing[@]} -gt 0 ]; then
        echo "This is not Debian; install these yourself: ${missing[*]}" >&2
        exit 1
    fi
fi

if [ ${#missing[@]} -eq 0 ]; then
    [ "${INSTALL:-yes}" != no ] || echo "Nothing to install: ${PACKAGES[*]} are there."
    exit 0
fi

echo "Debian packages to install: ${missing[*]}"
echo "NuGet packages: restored by the build, as Directory.Packages.props lists them"
if [ "${INSTALL:-yes}" = no ]; then
    echo "INSTALL=no: nothing was installed."
    exit 0
fi

if [ "$(id -u)" = 0 ]; then as_root=()
elif sudo -n true 2> /dev/null; then as_root=(sudo -n)
else
    echo "Not root. Run this, then make again:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
