#!/bin/sh
# Runs a class, a kill -9 and a restart, simulate and verify on each Node version that Rollcall supports: the one that
# runs this script and those named as arguments, which the npm package `node` brings. Needs a build. Ends with status 1
# at the first failure.
set -eu
cd "$(dirname "$0")/.."
rollcall=packages/server/bin/rollcall.js

try() {
  version=$1
  shift
  folder=$(mktemp -d)
  export DATA_DIR="$folder" CHAT_PORT=0 LOG_LEVEL=warn
  "$@" scripts/try-on-this-node.mjs "$rollcall"
  rm -rf "$folder"
  echo "Node $version: class, kill, restart, simulate and verify are as they should be"
}

try "$(node --version)" node
for version in "$@"; do
  try "$version" npx --yes -p "node@$version" node
done
