#!/bin/sh
# Starts the .NET program of this name with the dotnet of the PATH; exec, so that signals and the process id are the program's own.
own=$(readlink -f "$0")
name=$(basename "$own")
exec dotnet "$(dirname "$own")/../lib/$name/$name.dll" "$@"
