"""GitHub on this machine."""

from collections.abc import Iterator

import pytest

from tests.support.release.github_server import GithubServer, github_server


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GithubServer]:
    """The repository of a workflow that runs here."""
    with github_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server
