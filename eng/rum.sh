#!/bin/sh
# Starts rum with the dotnet of the PATH; exec, so that signals and the process id are rum's own.
exec dotnet "$(dirname "$(readlink -f "$0")")/../lib/rum/rum.dll" "$@"
