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

# CDK leaves every app that it synthesizes in the temporary folder that was set when it was first
# imported, so it gets one that goes with the tests.
_scratch = tempfile.mkdtemp(prefix="rooms-tests-")
os.environ["TMPDIR"] = _scratch
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
