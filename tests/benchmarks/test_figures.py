"""What a part has measured is there for the next one."""

from pathlib import Path

import msgspec
import pytest

from benchmarks import figures
from imagecheck.errors import UsageError


class Measured(msgspec.Struct, frozen=True):
    milliseconds: dict[str, float]
    rounds: int


class Other(msgspec.Struct, frozen=True):
    bytes: int


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_figures_come_back_as_they_were() -> None:
    measured = Measured(milliseconds={"ours": 1.25, "a peer": 0.1}, rounds=9)

    figures.keep("cold-start", measured)

    assert figures.kept("cold-start", Measured) == measured


def test_the_last_ones_count() -> None:
    figures.keep("load", Measured(milliseconds={}, rounds=1))
    figures.keep("load", Measured(milliseconds={}, rounds=2))

    assert figures.kept("load", Measured).rounds == 2


def test_without_figures_it_says_what_measures_them() -> None:
    with pytest.raises(UsageError, match="there are no figures of load") as raised:
        figures.kept("load", Measured)

    assert raised.value.hint == "run: python -m benchmarks load"


def test_those_of_another_version_are_none() -> None:
    figures.keep("load", Other(bytes=1))

    with pytest.raises(UsageError, match="there are no figures of load"):
        figures.kept("load", Measured)
