#!/usr/bin/env bash
# tree-sitter-javascript 0.25.0 with tree-sitter 0.26.1 (PyPI).
#
# Expected: a module that Node.js accepts is parsed without an error.
# Seen: an exported name that is a reserved word (`export { a as null }`) is a syntax error, although
#   JavaScript allows any IdentifierName there; the grammar accepts only `as default`. The module
#   zod/v4 on npm has such lines, so they are not rare.
# Why it matters: "has_error" does not mean that a file is broken. A check that reports syntax errors
#   by it must leave out what the grammar does not support.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  tree-sitter==0.26.1 tree-sitter-javascript==0.25.0 2>/dev/null
echo 'const a = 1; export { a as null };' >"$folder/reserved.mjs"
echo 'const a = 1; export { a as default };' >"$folder/default.mjs"
node --check "$folder/reserved.mjs" && echo "node --check: both lines are valid" &&
  node --check "$folder/default.mjs"
"$folder/venv/bin/python" - "$folder/reserved.mjs" "$folder/default.mjs" <<'P'
import sys
from pathlib import Path

import tree_sitter_javascript
from tree_sitter import Language, Parser

parser = Parser(Language(tree_sitter_javascript.language()))
seen = []
for name in sys.argv[1:]:
    text = Path(name).read_bytes()
    seen.append(parser.parse(text).root_node.has_error)
    print(f"{text.decode().strip():40} has_error: {seen[-1]}")
sys.exit(seen != [True, False])
P
