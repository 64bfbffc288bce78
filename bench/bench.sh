#!/bin/sh
# Thousands of sockets need as many open files: as many as this machine allows.
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
exec node "$(dirname "$0")/dist/main.js" "$@"
