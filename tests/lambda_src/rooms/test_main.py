"""The module that Lambda imports, in a process of its own, as Lambda imports it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LAMBDA_SRC = Path(__file__).parents[3] / "lambda_src"
PROGRAM = """
import json, sys
from rooms.main import handler
print(json.dumps(handler({"routeKey": "GET /nothing"}, None)))
"""


def run(program: str = PROGRAM, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=LAMBDA_SRC,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_package_stands_alone_at_the_top_of_the_task_root() -> None:
    done = run(ROOMS_TABLE="rooms", AWS_DEFAULT_REGION="ap-northeast-1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["statusCode"] == 404


@pytest.mark.proof
def test_its_log_lines_name_the_version_that_lambda_says() -> None:
    program = """
import logging
logging.getLogger("rooms").addHandler(handler := logging.StreamHandler())
logging.getLogger("rooms").setLevel("INFO")
handler.setFormatter(logging.Formatter("%(message)s of version %(version)s"))
"""
    done = run(
        program + PROGRAM,
        ROOMS_TABLE="rooms",
        AWS_DEFAULT_REGION="ap-northeast-1",
        AWS_LAMBDA_FUNCTION_VERSION="7",
    )
    assert "request of version 7" in done.stderr


@pytest.mark.proof
def test_a_missing_variable_fails_while_the_environment_starts() -> None:
    done = run(AWS_DEFAULT_REGION="ap-northeast-1")
    assert done.returncode != 0
    assert "ROOMS_TABLE" in done.stderr
