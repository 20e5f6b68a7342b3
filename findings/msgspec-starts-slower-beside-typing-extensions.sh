#!/usr/bin/env bash
# msgspec 0.22.0 and typing-extensions 4.16.0 (PyPI), on Python 3.11 to 3.13.
#
# Expected: msgspec has no dependencies, and Python's own typing has all that it asks for, so a program
#   loads the same modules whatever other packages are installed.
# Seen: where typing-extensions is installed, msgspec loads it, and with it inspect, ast, dis and
#   tokenize: a third to a half more modules, for the same result.
# Why it matters: a package that some other library brings lengthens the cold start of a function by a
#   tenth. lambda_src/requirements.txt has msgspec alone, and the cold start is measured without it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip=("$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps)
"${pip[@]}" msgspec==0.22.0 2>/dev/null
cat >"$folder/loads.py" <<'P'
import sys

before = set(sys.modules)
import msgspec


class Room(msgspec.Struct):
    code: str


msgspec.json.Decoder(Room).decode(b'{"code":"BCDFGH"}')
loaded = set(sys.modules) - before
also = [name for name in ("ast", "dis", "inspect", "tokenize", "typing_extensions") if name in loaded]
print(len(loaded), *also)
P
alone=$("$folder/venv/bin/python" "$folder/loads.py")
"${pip[@]}" typing-extensions==4.16.0 2>/dev/null
beside=$("$folder/venv/bin/python" "$folder/loads.py")
echo "modules that a Struct loads, alone:                    $alone"
echo "modules that a Struct loads, beside typing-extensions: $beside"
[[ $alone =~ ^[0-9]+$ && $beside == *" ast dis inspect tokenize typing_extensions" ]]
