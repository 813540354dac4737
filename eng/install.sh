#!/bin/bash
# Installs the Debian packages that the build needs and that are absent. INSTALL=no only lists them.
# usage: eng/install.sh [bench] [tests]   bench, tests: also what these use where it is there; that it can't be had is no error
set -euo pipefail

# gcc, libc6-dev: the linker step of librum.so and the C programs; g++: the C++ tests; zlib1g-dev: the AOT runtime links libz.
# ca-certificates: NuGet talks TLS; libicu: the SDK doesn't start without it.
PACKAGES=(gcc g++ libc6-dev zlib1g-dev make pkg-config ca-certificates libicu)

# What rum bench compares RUM with; the browser of the tests of the web page, what the tests of Orleans' clustering start, and
# DPDK with what makes its virtual wires.
OPTIONAL=()
for group in "$@"; do
    case $group in
        bench) OPTIONAL+=(redis-server memcached) ;;
        tests) OPTIONAL+=(chromium redis-server postgresql libdpdk-dev dpdk iproute2 nftables) ;;
        *) echo "eng/install.sh: no group \"$group\"; there are bench, tests" >&2; exit 2 ;;
    esac
done

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
        libicu) [ -n "${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-}" ] || /sbin/ldconfig -p | grep -q 'libicuuc\.so' ;;
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

wanted=()
if command -v dpkg-query > /dev/null; then
    for package in "${OPTIONAL[@]}"; do present "$package" || wanted+=("$package"); done
fi

if [ ${#missing[@]} -eq 0 ] && [ ${#wanted[@]} -eq 0 ]; then
    [ "${INSTALL:-yes}" != no ] || echo "Nothing to install: ${PACKAGES[*]} are there. INSTALL=no: nothing was built."
    exit 0
fi

# Its name has the version in it: libicu72 in Debian 12.
for i in "${!missing[@]}"; do
    [ "${missing[i]}" != libicu ] || missing[i]=libicu$(case $(. /etc/os-release; echo "${VERSION_ID:-}") in 11) echo 67 ;; 13) echo 76 ;; *) echo 72 ;; esac)
done

echo "Debian packages to install: ${missing[*]}${wanted[*]:+ and, if they can be had, ${wanted[*]}}"
echo "NuGet packages that the build restores, as far as it uses them:$(sed -n 's/.*PackageVersion Include="\([^"]*\)".*/ \1/p' "$(dirname "$0")/../Directory.Packages.props" | tr -d '\n')"
if [ "${INSTALL:-yes}" = no ]; then
    echo "INSTALL=no: nothing was installed or built."
    exit 0
fi

if [ "$(id -u)" = 0 ]; then as_root=()
elif sudo -n true 2> /dev/null; then as_root=(sudo -n)
elif [ ${#missing[@]} -eq 0 ]; then
    echo "Not root: going on without ${wanted[*]}." >&2
    exit 0
else
    echo "Not root. Run this, then make again:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
if [ ${#missing[@]} -gt 0 ]; then
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
fi
if [ ${#wanted[@]} -gt 0 ]; then
    [ ${#missing[@]} -gt 0 ] || "${as_root[@]}" apt-get update -q || true
    for package in "${wanted[@]}"; do
        # A Redis or memcached for comparison must not start to serve by itself.
        "${as_root[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$package" || echo "Going on without $package." >&2
    done
fi
