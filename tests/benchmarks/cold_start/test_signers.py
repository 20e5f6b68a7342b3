"""The signers that were tried sign like botocore."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.cold_start.catalogue import PEERS
from benchmarks.cold_start.process import Place, variables

_PACKAGE = "benchmarks.cold_start.peers"


@pytest.fixture
def signers(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The modules, in the environment that they are started in."""
    peer = next(peer for peer in PEERS if peer.name == "own-signer")
    for name, value in variables(peer, place).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a/token+of==many//signs")
    yield {
        name: importlib.import_module(f"{_PACKAGE}.{name}")
        for name in ("own_signer", "botocore_signer")
    }
    for name in [name for name in sys.modules if name.startswith(f"{_PACKAGE}.")]:
        del sys.modules[name]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), target=st.from_regex(r"[A-Za-z_0-9.]{1,30}", fullmatch=True))
def test_ours_signs_what_botocore_signs(
    body: bytes, target: str, signers: dict[str, ModuleType]
) -> None:
    url = "https://dynamodb.ap-northeast-1.amazonaws.com/"
    headers = {"Host": url.split("/")[2], "X-Amz-Target": target}

    own, theirs = (
        signers[name].sign(url, headers, body) for name in ("own_signer", "botocore_signer")
    )

    # Both look at the clock, which may go on by a second between them.
    if own["X-Amz-Date"] == theirs["X-Amz-Date"]:
        assert own["Authorization"] == theirs["Authorization"]
