#!/usr/bin/env bash
# moto 5.2.5 (PyPI), the emulated Lambda.
#
# Expected: the number of a published version is never used again, as in Lambda, also after the version
#   was deleted: after 1, 2, 3 and the deletion of 2 comes 4.
# Seen: the next number is the count of versions plus one, so it is 3 a second time. Two versions with
#   different code then have one number and one ARN.
# Why it matters: a test on moto of old versions being deleted, or of a rollback after that, is green
#   or red for a reason that AWS does not have. docs/upstream/moto has a correction (0004).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[awslambda]==5.2.5' 2>/dev/null
AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 \
  "$folder/venv/bin/python" - <<'P'
import io
import sys
import zipfile

import boto3
from moto import mock_aws


def zipped(code):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", code)
    return content.getvalue()


with mock_aws():
    role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client = boto3.client("lambda")
    client.create_function(FunctionName="f", Runtime="python3.13", Role=role, Handler="app.handler",
                           Code={"ZipFile": zipped("one")}, Publish=True)  # fmt: skip

    def publish(code):
        client.update_function_code(FunctionName="f", ZipFile=zipped(code))
        return client.publish_version(FunctionName="f")["Version"]

    print("published: 1", publish("two"), publish("three"))
    client.delete_function(FunctionName="f", Qualifier="2")
    print("2 is deleted; the next one is", publish("four"))
    versions = client.list_versions_by_function(FunctionName="f")["Versions"]
    numbers = [version["Version"] for version in versions]
    print("all versions:", *numbers)
    sys.exit(numbers != ["$LATEST", "1", "3", "3"])
P
