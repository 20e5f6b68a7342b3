"""The emulated account, and functions whose code a test writes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent
from typing import Any

import boto3
import pytest

from lambda_runtime.runtime_client import RuntimeClient, source_fingerprint
from local.emulated_aws.server import CREDENTIALS, REGION, emulated_aws
from local.execution_environment import ExecutionEnvironment, FunctionProgram
from local.function_settings import FunctionSettings

Client = Callable[[str], Any]
MakeFunction = Callable[..., ExecutionEnvironment]


@pytest.fixture
def aws() -> Iterator[Client]:
    """An empty emulated account: call it with a service's name for a boto3 client."""
    session: Any = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    with emulated_aws() as endpoint_url:
        yield lambda service: session.client(service, endpoint_url=endpoint_url)


@pytest.fixture
def function_log() -> list[str]:
    """The lines that functions have logged."""
    return []


@pytest.fixture
def make_function(tmp_path: Path, function_log: list[str]) -> Iterator[MakeFunction]:
    """Write ``code`` to ``code/app.py`` below ``tmp_path``; ``app.handler`` is the handler."""
    with ExitStack() as stack:

        def make(code: str, **settings: Any) -> ExecutionEnvironment:
            task_root = tmp_path / "code"
            task_root.mkdir(exist_ok=True)
            (task_root / "app.py").write_text(dedent(code))
            defaults: dict[str, Any] = {
                "name": "rooms",
                "version": "7",
                "arn": "arn:aws:lambda:ap-northeast-1:123456789012:function:rooms:live",
                "handler": "app.handler",
                "memory_mb": 256,
                "timeout_seconds": 10,
                "region": REGION,
                "log_group": "/aws/lambda/rooms",
            }
            function = FunctionSettings(**defaults | settings)
            variables = function.variables("http://localhost:1", "stream")
            program = FunctionProgram(
                new_process=lambda: RuntimeClient(
                    function.handler or "",
                    task_root=task_root,
                    environment=variables,
                    memory_mb=function.memory_mb,
                    log=function_log.append,
                ),
                source=lambda: source_fingerprint(task_root),
            )
            environment = ExecutionEnvironment(
                program, timeout_seconds=function.timeout_seconds, function_arn=function.arn
            )
            stack.callback(environment.close)
            return environment

        yield make
