"""Functions of the emulated account whose code a test writes, and stacks with them."""

import base64
import io
import json
import time
import zipfile
from collections.abc import Mapping
from textwrap import dedent
from typing import Any

from tests.local.conftest import Client

Resources = dict[str, Any]

ROLE: Resources = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}
BUCKET = "assets"


class RolledBackError(Exception):
    """The message is what failed, and why."""


def deploy(
    aws: Client,
    resources: Resources,
    *,
    name: str = "rooms",
    outputs: Mapping[str, Any] | None = None,
) -> None:
    """Create the stack or update it. Raises RolledBackError."""
    cloudformation = aws("cloudformation")
    exists = any(s["StackName"] == name for s in cloudformation.describe_stacks()["Stacks"])
    put = cloudformation.update_stack if exists else cloudformation.create_stack
    put(StackName=name, TemplateBody=json.dumps({"Resources": resources, "Outputs": outputs or {}}))
    if "ROLLBACK" in status(aws, name=name):
        raise RolledBackError("; ".join(e[2] for e in events(aws, name=name) if "FAILED" in e[1]))


def status(aws: Client, *, name: str = "rooms") -> str:
    stack = aws("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return str(stack["StackStatus"])


def events(aws: Client, *, name: str = "rooms") -> list[tuple[str, str, str]]:
    """Logical id, status and reason of each event of the stack, the oldest first."""
    found = aws("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [
        (e["LogicalResourceId"], e["ResourceStatus"], e.get("ResourceStatusReason", ""))
        for e in reversed(found)
    ]


def zipped(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, dedent(text))
    return buffer.getvalue()


def asset(aws: Client, content: bytes) -> dict[str, str]:
    """Put bytes into S3 as the CDK does, and say where they are."""
    s3 = aws("s3")
    if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        where = {"LocationConstraint": s3.meta.region_name}
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    key = f"{hash(content)}.zip"
    s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    return {"S3Bucket": BUCKET, "S3Key": key}


def function(aws: Client, code: str, *, name: str, **properties: Any) -> Resources:
    """``app.handler`` of ``code``, as a zip."""
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": name,
            "Code": asset(aws, zipped({"app.py": code})),
            "Handler": "app.handler",
            "Runtime": "python3.13",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "LoggingConfig": {"LogFormat": "JSON", "LogGroup": f"/aws/lambda/{name}"},
            **properties,
        },
    }


def invoke(aws: Client, name: str, event: object = None, **options: Any) -> Any:
    """The payload that a function answers."""
    answer = aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event), **options)
    return json.loads(answer["Payload"].read())


def log_lines(aws: Client, group: str) -> list[Any]:
    """What stands in a log group, the oldest first; JSON is decoded."""
    found = aws("logs").filter_log_events(logGroupName=group)["events"]
    return [_decoded(event["message"]) for event in found]


def wait_for_line(aws: Client, group: str, text: str) -> None:
    """A function's own lines arrive when they are read, which may be after its answer."""
    deadline = time.monotonic() + 60
    while not any(text in str(line) for line in log_lines(aws, group)):
        assert time.monotonic() < deadline, log_lines(aws, group)


def _decoded(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line


def tail_of(answer: Any) -> str:
    return base64.b64decode(answer["LogResult"]).decode()
