"""Requests are signed as botocore signs them, to the byte."""

from __future__ import annotations

import datetime
import string
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lambda_src.rooms.endpoint import Credentials
from lambda_src.rooms.signature import signed_headers

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES: Final = 10_000
BODIES = st.binary(max_size=400) | st.text(max_size=200).map(str.encode)
KEYS = st.text(string.ascii_letters + string.digits + "/+=", min_size=1, max_size=60)
HOSTS = st.builds(
    lambda name, port: f"{name}{port}",
    st.text(string.ascii_lowercase + string.digits + ".-", min_size=1, max_size=40),
    st.integers(1, 65535).map(":{}".format) | st.just(""),
)
REGIONS = st.sampled_from(["ap-northeast-1", "us-gov-west-1", "cn-north-1"]) | st.text(
    string.ascii_lowercase + "-", min_size=1, max_size=20
)
TIMES = st.floats(0, 4_000_000_000)


def botocores(
    headers: dict[str, str], body: bytes, region: str, credentials: Credentials
) -> dict[str, str]:
    """Sign the same request with botocore, at the same time."""
    unsigned = {
        name: value
        for name, value in headers.items()
        if name not in {"authorization", "x-amz-date", "x-amz-security-token"}
    }
    request: Any = AWSRequest("POST", f"https://{headers['host']}/", headers=unsigned, data=body)
    token = credentials.session_token or None
    signer: Any = SigV4Auth(
        BotocoreCredentials(credentials.access_key_id, credentials.secret_access_key, token),
        "dynamodb",
        region,
    )
    signer.add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets botocore's clock."""

    def set_clock(now_s: float) -> None:
        moment = datetime.datetime.fromtimestamp(int(now_s), tz=datetime.UTC)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)

    return set_clock


@pytest.mark.parametrize("examples", [200, pytest.param(EXAMPLES, marks=pytest.mark.proof)])
def test_every_request_is_signed_as_botocore_signs_it(
    at: Callable[[float], None], examples: int
) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        operation=st.text(string.ascii_letters, min_size=1, max_size=30),
        body=BODIES,
        host=HOSTS,
        region=REGIONS,
        credentials=st.builds(Credentials, KEYS, KEYS, KEYS | st.just("")),
        now_s=TIMES,
    )
    @example(
        operation="GetItem",
        body=b"{}",
        host="dynamodb.ap-northeast-1.amazonaws.com",
        region="ap-northeast-1",
        credentials=Credentials("AKID", "secret", ""),
        now_s=1_709_164_800.0,
    )
    def signs_alike(
        *,
        operation: str,
        body: bytes,
        host: str,
        region: str,
        credentials: Credentials,
        now_s: float,
    ) -> None:
        at(now_s)
        ours = signed_headers(
            operation, body, host=host, region=region, credentials=credentials, now_s=now_s
        )
        assert ours == botocores(ours, body, region, credentials)

    signs_alike()


@pytest.mark.parametrize("token", ["", "a/session+token=="])
def test_a_request_of_boto3_is_signed_alike(token: str) -> None:
    """All that boto3 sends and signs, not only what its signer is given here."""
    client = boto3.client(
        "dynamodb",
        region_name="ap-northeast-1",
        aws_access_key_id="AKID",
        aws_secret_access_key="secret/key",
        aws_session_token=token or None,
    )
    sent: list[Any] = []

    def keep(request: Any, **_: object) -> None:
        sent.append(request)
        raise InterruptedError

    client.meta.events.register("before-send.dynamodb", keep)
    with pytest.raises(InterruptedError):
        client.put_item(TableName="rooms", Item={"roomId": {"S": "山"}, "digest": {"B": b"\x00"}})
    (request,) = sent
    theirs = {
        name.lower(): value.decode() if isinstance(value, bytes) else value
        for name, value in request.headers.items()
    }
    moment = datetime.datetime.strptime(theirs["x-amz-date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
    ours = signed_headers(
        "PutItem",
        request.body,
        host="dynamodb.ap-northeast-1.amazonaws.com",
        region="ap-northeast-1",
        credentials=Credentials("AKID", "secret/key", token),
        now_s=moment.timestamp(),
    )
    assert request.url == f"https://{ours.pop('host')}/"
    assert {name: theirs[name] for name in ours} == ours
