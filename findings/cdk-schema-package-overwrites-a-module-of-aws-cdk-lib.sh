#!/usr/bin/env bash
# aws-cdk-lib 2.275.0 and what it needs, aws-cdk-cloud-assembly-schema 55.3.0 and 55.4.0 (PyPI).
#
# Expected: the dependency may be updated within the range that aws-cdk-lib allows, by itself.
# Seen: both packages hold aws_cdk/cloud_assembly_schema/__init__.py, with other types in it: those of
#   aws-cdk-lib, or of an assembly of its own. After the update the file is the dependency's. Then
#   Annotations.find_warning ends with "Unknown interface: aws-cdk-lib.cloud_assembly_schema.MetadataEntry",
#   while has_warning and synth work. `pip check` finds nothing.
# Why it matters: pip leaves the right file only because it writes dependencies first. A security update of
#   one package, or an installer that writes packages at the same time, leaves the other, and then a test
#   fails on one machine of several with the same lock file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip=("$folder/venv/bin/pip" --quiet --disable-pip-version-check)
"${pip[@]}" install aws-cdk-lib==2.275.0 constructs==10.8.1 jsii==1.142.0 \
  aws-cdk-cloud-assembly-schema==55.3.0 2>/dev/null
cat >"$folder/app.py" <<'P'
from aws_cdk import Annotations, App, Stack
from aws_cdk.assertions import Annotations as Found

app = App()
stack = Stack(app, "Stack")
Annotations.of(stack).add_warning_v2("example", "a warning")
found = Found.from_stack(stack)
found.has_warning("*", "a warning [ack: example]")
try:
    print(len(found.find_warning("*", "a warning [ack: example]")), "warning")
except ValueError as error:
    print(error)
P
cd "$folder"
find_warning() {
  # What jsii unpacks stays in the folder; its words on the version of Node.js are not of interest.
  CDK_VALIDATION=false JSII_RUNTIME_PACKAGE_CACHE_ROOT=$folder/jsii venv/bin/python app.py 2>errors || {
    cat errors >&2
    exit 1
  }
}
before=$(find_warning)
echo "installed together: $before"
"${pip[@]}" install aws-cdk-cloud-assembly-schema==55.4.0 2>/dev/null
after=$(find_warning)
echo "after the update: $after"
"$folder/venv/bin/pip" --disable-pip-version-check check
[ "$before" = "1 warning" ]
[ "$after" = "Unknown interface: aws-cdk-lib.cloud_assembly_schema.MetadataEntry" ]
