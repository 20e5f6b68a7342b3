"""Fixtures for tests of several folders."""

import atexit
import gc
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from lambda_runtime.dynamodb_local import dynamodb_local
from tests.support.botocore_data import share_botocore_data
from tests.support.browser import running_browser
from tests.support.environment import make_environment_known, temporary_folder

# Every test process has a temporary folder of its own, so that a test may look at what was left
# there while the others work. It goes with the tests, and with it the apps that CDK leaves. Only
# `tmp_path` stays where pytest keeps it: that of a test that failed is worth a look.
_temporary = temporary_folder()
_scratch = Path(tempfile.mkdtemp(prefix="rooms-tests-", dir=_temporary))
atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
(_scratch / "home").mkdir()
make_environment_known(home=_scratch / "home")
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_temporary))
os.environ["TMPDIR"] = tempfile.tempdir = str(_scratch)
share_botocore_data()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave what is imported and collected to no garbage collection: it stays until the end.

    It is some million objects, and a full collection would go through them every few tests.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


_SHARED = {"browser": "browser", "dynamodb_endpoint": "dynamodb"}
"""Fixtures that are slow to start, and the group of the tests that use them."""
_OF_CDK = (
    "tests/constructs/",
    "tests/local/test_client_limit.py",
    "tests/local/test_guard_in_account.py",
    "tests/release/registry/test_lifecycle.py",
    "tests/stacks/",
    "tests/test_app.py",
)
"""Where CDK runs: it has a process of Node, and reads its library there."""
_OF_PYTHON_IMAGES = (
    "tests/imagecheck/rules/",
    "tests/imagecheck/test_starting.py",
    "tests/lambda_runtime/test_image_sandbox.py",
    "tests/release/boot/test_boot.py",
)
"""Where images with a whole Python are made: its layer takes seconds, and is kept."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one test process run all tests of a file, and all that share what is slow to start."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        groups = [group for fixture, group in _SHARED.items() if fixture in fixtures]
        if item.nodeid.startswith(_OF_CDK):
            groups.append("cdk")
        if item.nodeid.startswith(_OF_PYTHON_IMAGES):
            groups.append("python images")
        if item.get_closest_marker("xdist_group") is None:
            group = groups[0] if groups else item.nodeid.partition("::")[0]
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def dynamodb_endpoint() -> Iterator[str]:
    """The URL of a DynamoDB Local that this test process has to itself."""
    with dynamodb_local() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser of this test process: Playwright runs once in each."""
    with running_browser() as browser:
        yield browser
