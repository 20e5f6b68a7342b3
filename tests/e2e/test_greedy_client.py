"""One client that asks without end, beside four friends who play: the deployed limit at work."""

import http.client
import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from constructs.client_limit import REFUSED

from config.names import GUARD_REGION
from local.emulated_aws.server import CREDENTIALS
from local.system import NAMES, System

pytestmark = pytest.mark.xdist_group("browser")

LIMIT = 60
GREEDY = "127.0.0.9"
FRIENDS = ("127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.14")


@pytest.fixture
def limited(system: System) -> Iterator[None]:
    """A limit that is soon reached, deployed as a change of the guard stack; then the old one."""
    cloudformation = boto3.client(
        "cloudformation",
        endpoint_url=system.endpoint_url,
        region_name=GUARD_REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    template: Any = cloudformation.get_template(StackName=NAMES.guard_stack)["TemplateBody"]
    before = json.dumps(template)
    (acl,) = (
        resource["Properties"]
        for resource in json.loads(before)["Resources"].values()
        if resource["Type"] == "AWS::WAFv2::WebACL"
    )
    allowed = acl["Rules"][0]["Statement"]["RateBasedStatement"]["Limit"]
    changed = before.replace(f'"Limit": {allowed}', f'"Limit": {LIMIT}')
    assert changed != before
    cloudformation.update_stack(StackName=NAMES.guard_stack, TemplateBody=changed)
    yield
    cloudformation.update_stack(StackName=NAMES.guard_stack, TemplateBody=before)


class Client:
    """An HTTP client with an address of its own on this machine."""

    def __init__(self, url: str, address: str) -> None:
        place = urllib.parse.urlsplit(url)
        assert place.hostname
        self._connection = http.client.HTTPConnection(
            place.hostname, place.port, timeout=60, source_address=(address, 0)
        )

    def __call__(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """Return the status and the body."""
        headers = {"Content-Type": "application/json", "X-Forwarded-For": "192.0.2.1"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        self.retry_after = answer.headers.get("retry-after")
        return answer.status, json.loads(answer.read() or b"null")


def asked_until_refused(client: Client) -> Any:
    """Ask again and again, and return what it says in the end."""
    for _ in range(10 * LIMIT):
        status, body = client("GET", "/rooms/BCDF23")
        if status != 404:
            assert status == 429
            return body
    raise AssertionError("it was never refused")


@pytest.mark.proof
@pytest.mark.usefixtures("limited")
def test_a_greedy_client_is_refused_and_four_friends_play_on(system: System) -> None:
    greedy = Client(system.url, GREEDY)
    friends = [Client(system.url, address) for address in FRIENDS]

    assert greedy("GET", "/rooms/BCDF23")[0] == 404
    assert asked_until_refused(greedy) == REFUSED
    assert greedy.retry_after == "30"

    status, created = friends[0]("POST", "/rooms", {"hostName": "一"})
    assert status == 200
    code, tokens = created["roomId"], [created["playerToken"]]
    for friend, name in zip(friends[1:], "二三四", strict=True):
        status, joined = friend("POST", f"/rooms/{code}/join", {"playerName": name})
        assert status == 200
        tokens.append(joined["playerToken"])
        assert asked_until_refused(greedy) == REFUSED
    for friend, token in zip(friends, tokens, strict=True):
        assert friend("DELETE", f"/rooms/{code}/leave", token=token)[0] == 200
