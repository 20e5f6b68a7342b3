"""The whole system, started once for all tests of this folder, which one process runs."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from playwright.sync_api import Browser

from local.emulated_aws.server import CREDENTIALS, REGION
from local.system import SOURCE, System, running_system
from tests.support.browser import NewPlayer, players
from tests.support.processes import child_processes


@pytest.fixture(scope="package")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the function's source, for a test to edit."""
    folder = tmp_path_factory.mktemp("source") / "lambda_src"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="package")
def system(
    source: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """The system, deployed as `make run` does; afterwards none of its processes may be left."""
    assert browser.is_connected()  # Its processes are there before, and stay.
    before = child_processes()
    with running_system(
        port=0, source=source, work_folder=tmp_path_factory.mktemp("local")
    ) as system:
        yield system
        assert child_processes() > before
    assert child_processes() <= before


@pytest.fixture
def aws(system: System) -> Any:
    """What makes boto3 clients for the account that the system is deployed to."""
    made: Any = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    return partial(made.client, endpoint_url=system.endpoint_url)


@pytest.fixture
def new_player(browser: Browser, system: System) -> Iterator[NewPlayer]:
    with players(browser, system.url) as new:
        yield new
