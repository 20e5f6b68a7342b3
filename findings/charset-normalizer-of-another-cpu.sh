#!/usr/bin/env bash
# charset-normalizer 3.5.3 (PyPI), a dependency of requests; its wheel for the other CPU.
#
# Expected: a wheel for another CPU cannot be imported: "invalid ELF header" or "No module named".
# Seen: the import succeeds without a warning. The wheel has md.py beside md.cpython-*.so, and the
#   name of an extension module holds its CPU, so Python skips the foreign one and imports the source.
# Why it matters: a successful import does not show that packages are for the right CPU; the function
#   runs slow code. And a check that refuses every foreign .so refuses an image that works.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
case $(uname -m) in x86_64) other=aarch64 ;; *) other=x86_64 ;; esac
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
  --platform "manylinux2014_$other" --dest "$folder" charset-normalizer==3.5.3 2>/dev/null
python3 -m zipfile -e "$folder"/charset_normalizer-*.whl "$folder/installed"
echo "native files:"
(cd "$folder/installed" && ls charset_normalizer/*.so)
loaded=$(PYTHONPATH="$folder/installed" python3 -c 'import charset_normalizer.md as md
print(md.__file__)')
echo "imported on $(uname -m): ${loaded#"$folder"/installed/}"
[[ $loaded == */md.py ]]
