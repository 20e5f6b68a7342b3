"""Fixtures for the tests of workflows."""

from collections.abc import Iterator

import pytest

from tests.support.workflows.expressions import Expressions, expressions


@pytest.fixture(scope="module")
def github_expressions() -> Iterator[Expressions]:
    """GitHub's library, in one process for all tests of a module."""
    with expressions() as started:
        yield started
