"""The secret between the distribution and the API, in the templates."""

import json
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template
from constructs.distribution_key import DistributionKey

from tests.support.templates import only, resources, rooms_template, web_template


def made(stack: Stack, number: int) -> tuple[dict[str, Any], list[str]]:
    """Return the template, and the secrets that are accepted, by their order."""
    key = DistributionKey(stack, "Key", parameter_name="/key", number=number)
    accepted = stack.resolve(key.accepted)["Fn::Join"][1]
    template = dict(Template.from_stack(stack).to_json())
    return template, [part["Ref"] for part in accepted if isinstance(part, dict)]


def test_it_is_long_random_and_can_stand_in_a_header(stack: Stack) -> None:
    template, _ = made(stack, 1)
    generated = only(template, "AWS::SecretsManager::Secret")["GenerateSecretString"]
    # 62 characters: 256 bits.
    assert generated == {"PasswordLength": 43, "ExcludePunctuation": True}


def test_a_change_keeps_the_secret_before_as_the_second_that_is_accepted(stack: Stack) -> None:
    first, accepted_first = made(stack, 1)
    second, accepted_second = made(Stack(), 2)
    third, accepted_third = made(Stack(), 3)
    assert [
        len(resources(each, "AWS::SecretsManager::Secret")) for each in (first, second, third)
    ] == [1, 2, 2]
    assert accepted_second[1:] == accepted_first
    assert accepted_third[1:] == accepted_second[:1]
    assert accepted_first[0] not in accepted_third


@pytest.mark.parametrize("number", [1, 2])
def test_the_distribution_is_told_of_the_newest(stack: Stack, number: int) -> None:
    template, accepted = made(stack, number)
    assert only(template, "AWS::SSM::Parameter")["Value"] == {"Ref": accepted[0]}


def test_no_template_has_its_value() -> None:
    for template in (rooms_template(), web_template()):
        assert "{{resolve:secretsmanager:" in json.dumps(template)
    function = next(
        each["Properties"]
        for name, each in resources(rooms_template(), "AWS::Lambda::Function").items()
        if name.startswith("Function")
    )
    (secret,) = resources(rooms_template(), "AWS::SecretsManager::Secret")
    assert function["Environment"]["Variables"]["DISTRIBUTION_KEYS"] == {
        "Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": secret}, ":SecretString:::}}"]]
    }


def test_the_distribution_sends_it_to_the_api_alone() -> None:
    origins = only(web_template(), "AWS::CloudFront::Distribution")["DistributionConfig"]["Origins"]
    (header,) = [header for each in origins for header in each.get("OriginCustomHeaders", ())]
    (api,) = [each for each in origins if "CustomOriginConfig" in each]
    assert api["OriginCustomHeaders"] == [header]
    assert header["HeaderName"] == "x-distribution-key"
    parameter = header["HeaderValue"]["Fn::Join"][1][1]["Ref"]
    name = web_template()["Parameters"][parameter]["Default"]
    assert name == "/hima-five-bomber/dev/distribution-key"
    named = [
        each["Name"]
        for each in (
            found["Properties"]
            for found in resources(rooms_template(), "AWS::SSM::Parameter").values()
        )
    ]
    assert name in named
