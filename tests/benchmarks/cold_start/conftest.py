"""A table behind TLS, and functions that this Python can start."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import boto3
import pytest

from benchmarks.cold_start.installation import Installation
from benchmarks.cold_start.process import Place
from benchmarks.cold_start.tls_front import tls_front
from chaos.trial import make_table
from lambda_runtime.variables import CREDENTIALS
from tests.support.cdk_context import ROOT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NOWHERE: Final = Path("/nowhere")


@pytest.fixture
def place(dynamodb_endpoint: str, tmp_path: Path) -> Iterator[Place]:
    """What environments share, with what is installed here: not all peers can be started so."""
    make_table(dynamodb_endpoint)
    parts = urlsplit(dynamodb_endpoint)
    shutil.copytree(ROOT / "benchmarks/cold_start/peers", tmp_path / "peers")
    here = Installation(
        python=Path(sys.executable),
        framework_python=Path(sys.executable),
        peers=tmp_path,
        rooms=ROOT / "lambda_src",
        node=_NOWHERE,
        node_client=_NOWHERE,
        node_bundle=_NOWHERE,
        node_native_part=_NOWHERE,
    )
    with tls_front((str(parts.hostname), int(parts.port or 0)), tmp_path) as (front, authorities):
        yield Place(here, front, authorities)


@pytest.fixture
def table(dynamodb_endpoint: str) -> "DynamoDBClient":
    """The table, without TLS."""
    return boto3.client(
        "dynamodb",
        endpoint_url=dynamodb_endpoint,
        region_name="ap-northeast-1",
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
