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
_ALIKE = {
    # CDK has a process of Node, and reads its library there.
    "cdk": (
        "tests/constructs/",
        "tests/local/test_client_limit.py",
        "tests/local/test_guard_in_account.py",
        "tests/release/registry/test_lifecycle.py",
        "tests/stacks/",
        "tests/test_app.py",
    ),
    # The layer of an image with a whole Python takes seconds, and is kept.
    "python images": (
        "tests/imagecheck/rules/",
        "tests/imagecheck/test_starting.py",
        "tests/lambda_runtime/test_image_sandbox.py",
        "tests/release/boot/test_boot.py",
    ),
}
"""Tests that use the same, and the name of their group."""


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the marks in this hook.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one test process run all tests of a file, and all that share what is slow to start.

    Proofs go where there is room: one takes longer than what it starts.
    """
    for item in items:
        if item.get_closest_marker("proof") or item.get_closest_marker("xdist_group"):
            continue
        fixtures = getattr(item, "fixturenames", ())
        groups = [group for fixture, group in _SHARED.items() if fixture in fixtures]
        groups += [group for group, files in _ALIKE.items() if item.nodeid.startswith(files)]
        item.add_marker(pytest.mark.xdist_group([*groups, item.nodeid.partition("::")[0]][0]))


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
