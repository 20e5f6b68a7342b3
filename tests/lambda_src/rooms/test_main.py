"""The module that Lambda imports, in a process of its own, as Lambda imports it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from lambda_runtime.variables import CREDENTIALS
from tests.support.rooms.faulty_table import cut, faulty_table, whole_answer

LAMBDA_SRC = Path(__file__).parents[3] / "lambda_src"
# Nothing listens there.
VARIABLES = {
    **CREDENTIALS,
    "AWS_REGION": "ap-northeast-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "ROOMS_TABLE": "rooms",
}
PROGRAM = """
import json, sys
from rooms.main import handler
print(json.dumps(handler({"routeKey": "GET /nothing"}, None)))
"""


def run(
    program: str = PROGRAM, *, environment: Mapping[str, str] = VARIABLES
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=LAMBDA_SRC,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_package_stands_alone_at_the_top_of_the_task_root() -> None:
    done = run()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["statusCode"] == 404


def test_it_loads_no_library_of_aws() -> None:
    """boto3 alone takes longer to load than all that is loaded here."""
    program = "import rooms.main, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = set(run(program).stdout.split())
    assert loaded >= {"msgspec", "rooms", "ssl"}
    assert not loaded & {"boto3", "botocore", "urllib3"}


@pytest.mark.proof
def test_its_log_lines_name_the_version_that_lambda_says() -> None:
    program = """
import logging
logging.getLogger("rooms").addHandler(handler := logging.StreamHandler())
logging.getLogger("rooms").setLevel("INFO")
handler.setFormatter(logging.Formatter("%(message)s of version %(version)s"))
"""
    done = run(program + PROGRAM, environment={**VARIABLES, "AWS_LAMBDA_FUNCTION_VERSION": "7"})
    assert "request of version 7" in done.stderr


@pytest.mark.proof
@pytest.mark.parametrize("missing", ["ROOMS_TABLE", "AWS_ACCESS_KEY_ID", "AWS_REGION"])
def test_a_missing_variable_fails_while_the_environment_starts(missing: str) -> None:
    done = run(environment={name: VARIABLES[name] for name in VARIABLES if name != missing})
    assert done.returncode != 0
    assert missing in done.stderr


def test_the_environment_connects_while_it_starts(dynamodb_endpoint: str, table: str) -> None:
    with faulty_table(dynamodb_endpoint) as network:
        variables = {**VARIABLES, "AWS_ENDPOINT_URL": network.endpoint, "ROOMS_TABLE": table}
        run("import rooms.main", environment=variables)
        assert network.connections == [1]
        assert b"DynamoDB_20120810.GetItem" in network.last_head


@pytest.mark.parametrize("operation", ["an answer", "no answer"])
def test_a_table_that_fails_then_is_no_reason_not_to_start(operation: str) -> None:
    with faulty_table(None) as table:
        table.serves(whole_answer(400, b'{"__type":"AccessDeniedException"}'))
        if operation == "no answer":
            table.always(cut(0))
        done = run(environment={**VARIABLES, "AWS_ENDPOINT_URL": table.endpoint})
    assert (done.returncode, done.stderr) == (0, "")
