"""The function finds DynamoDB where boto3 does."""

from __future__ import annotations

import itertools
from typing import Any

import boto3
import pytest

from lambda_src.rooms.endpoint import Endpoint, MissingVariableError, credentials, endpoint

SESSION = boto3.Session()
REGIONS = [
    region
    for partition in SESSION.get_available_partitions()
    for region in SESSION.get_available_regions("dynamodb", partition, allow_non_regional=False)
]
TOKYO = {"AWS_REGION": "ap-northeast-1"}
GENERAL, OWN = "http://127.0.0.1:3000", "https://table.test:8000/"


def botocores(**variables: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        client: Any = boto3.Session().client(
            "dynamodb", aws_access_key_id="test", aws_secret_access_key="test"
        )
    return str(client.meta.endpoint_url).rstrip("/")


def url(found: Endpoint) -> str:
    return f"{found.scheme}://{found.authority}"


@pytest.mark.parametrize(
    "region",
    ["ap-northeast-1", "cn-north-1", "eusc-de-east-1", "us-gov-west-1", "us-iso-east-1"],
)
def test_a_region_has_the_endpoint_that_botocore_knows(region: str) -> None:
    assert region in REGIONS
    found = endpoint({"AWS_REGION": region})
    assert (url(found), found.region) == (botocores(AWS_DEFAULT_REGION=region), region)


@pytest.mark.proof
def test_every_region_has_the_endpoint_that_botocore_knows() -> None:
    ours = {region: url(endpoint({"AWS_REGION": region})) for region in REGIONS}
    assert ours == {region: botocores(AWS_DEFAULT_REGION=region) for region in REGIONS}
    assert len(ours) > 30


@pytest.mark.parametrize(
    "named", [*itertools.product(["", GENERAL], ["", OWN], ["ap-northeast-1"])], ids=str
)
def test_an_endpoint_that_is_named_is_taken_as_botocore_takes_it(
    named: tuple[str, str, str],
) -> None:
    names = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_DEFAULT_REGION")
    variables = {name: value for name, value in zip(names, named, strict=True) if value}
    assert url(endpoint(variables)) == botocores(**variables)


@pytest.mark.parametrize(
    ("named", "authority"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://table.test:80", "table.test"),
        ("https://table.test:443", "table.test"),
        ("https://table.test:80", "table.test:80"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_host_names_its_port_unless_it_is_that_of_the_scheme(
    named: str, authority: str
) -> None:
    assert endpoint({**TOKYO, "AWS_ENDPOINT_URL": named}).authority == authority


@pytest.mark.parametrize(
    "named",
    [
        "table.test",
        "ftp://table.test",
        "https://",
        "https://table.test/path",
        "https://table.test?query",
        "https://table.test#part",
        "https://who:secret@table.test",
    ],
)
def test_what_is_more_than_a_server_is_refused_by_the_name_of_its_variable(named: str) -> None:
    with pytest.raises(ValueError, match=r"^AWS_ENDPOINT_URL_DYNAMODB is not ") as error:
        endpoint({**TOKYO, "AWS_ENDPOINT_URL_DYNAMODB": named})
    assert "secret" not in str(error.value)


def test_a_region_is_needed() -> None:
    with pytest.raises(MissingVariableError, match="AWS_DEFAULT_REGION or AWS_REGION"):
        endpoint({"AWS_ENDPOINT_URL": GENERAL})


def test_credentials_may_have_a_session_token() -> None:
    variables = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    assert credentials(variables) == ("a", "b", "")
    assert credentials({**variables, "AWS_SESSION_TOKEN": "c"}) == ("a", "b", "c")


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_credentials_that_are_missing_are_named(missing: str) -> None:
    variables = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    with pytest.raises(MissingVariableError, match=missing):
        credentials({**variables, missing: ""})
