"""A stage of a checkout."""

import pytest

from config.project import Stage
from tests.support.release.checkout import Checkout, checkout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return checkout(tmp_path_factory.mktemp("project") / "p")


@pytest.fixture
def stage(project: Checkout) -> Stage:
    """The stage `dev`, with clients of its own: a test has an AWS of its own."""
    return project.stage("dev")
