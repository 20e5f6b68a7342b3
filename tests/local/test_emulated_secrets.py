"""Generated secrets, and templates that only point at them."""

import json
from typing import Any

import pytest

from tests.local.conftest import Client
from tests.support.local.emulated_functions import Resources, RolledBackError, deploy


def secret(**rule: Any) -> Resources:
    return {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {"GenerateSecretString": {"PasswordLength": 43, **rule}},
    }


def parameter(value: Any) -> Resources:
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": "p", "Type": "String", "Value": value},
    }


def reference(to: Any) -> Resources:
    return {"Fn::Join": ["", ["<", "{{resolve:secretsmanager:", to, ":SecretString:::}}", ">"]]}


def value_of(aws: Client) -> str:
    return str(aws("ssm").get_parameter(Name="p")["Parameter"]["Value"])


def test_a_reference_gets_the_generated_value_which_no_template_has(aws: Client) -> None:
    resources = {"Key": secret(ExcludePunctuation=True), "P": parameter(reference({"Ref": "Key"}))}
    deploy(aws, resources)

    (listed,) = aws("secretsmanager").list_secrets()["SecretList"]
    stored = aws("secretsmanager").get_secret_value(SecretId=listed["ARN"])["SecretString"]
    assert value_of(aws) == f"<{stored}>"
    assert len(stored) == 43
    assert stored.isalnum()
    template = aws("cloudformation").get_template(StackName="rooms")["TemplateBody"]
    assert stored not in json.dumps(template)


def test_an_update_keeps_the_value_and_another_secret_has_another(aws: Client) -> None:
    deploy(aws, {"Key": secret(), "P": parameter(reference({"Ref": "Key"}))})
    first = value_of(aws)
    more = {"Key": secret(), "New": secret(), "P": parameter(reference({"Ref": "Key"}))}
    deploy(aws, more)
    assert value_of(aws) == first
    deploy(aws, {"New": secret(), "P": parameter(reference({"Ref": "New"}))})
    assert value_of(aws) != first
    assert len(aws("secretsmanager").list_secrets()["SecretList"]) == 1


@pytest.mark.parametrize(
    "wanted", ["secretsmanager:nothing", "ssm-secure:p:1", "secretsmanager:a:b:c"]
)
def test_what_cannot_be_resolved_fails_the_deploy(aws: Client, wanted: str) -> None:
    with pytest.raises(RolledBackError):
        deploy(aws, {"P": parameter("{{resolve:" + wanted + "}}")})
