"""What tests of several folders share."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from local.dynamodb_local import dynamodb_local
from tests.browser import running_browser

# Every test process has a temporary folder of its own, so that a test may look at what was left
# there while the others work. It goes with the tests, and with it the apps that CDK leaves. Only
# `tmp_path` stays where pytest keeps it: that of a test that failed is worth a look.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
_scratch = tempfile.mkdtemp(prefix="rooms-tests-")
os.environ["TMPDIR"] = tempfile.tempdir = _scratch
atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
# The CDK library looks at its own templates in every synth, which takes half of it. Once is enough:
# tests/test_app.py has the CDK CLI synthesize a stage in an environment without this.
os.environ["CDK_VALIDATION"] = "false"


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
