"""The guard of a stage in the emulated account: in another Region than the stack that names it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.cloud import Cloud, emulated_cloud
from local.emulated_aws.server import CREDENTIALS
from tests.support.local.emulated_functions import RolledBackError, deploy, status
from tests.support.templates import guard_template, only

OUTPUT = {"StackName": "guard", "OutputName": "WebAclArn", "Region": "us-east-1"}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with emulated_cloud(tmp_path) as cloud:
        yield cloud


def in_guard_region(cloud: Cloud, service: Any) -> Any:
    return boto3.client(
        service,
        endpoint_url=cloud.account.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def deploy_guard(cloud: Cloud) -> dict[str, str]:
    """Deploy the guard of prd, and return its outputs."""
    template = guard_template()
    parts = {name: template[name] for name in ("Resources", "Outputs")}
    cloudformation = in_guard_region(cloud, "cloudformation")
    cloudformation.create_stack(StackName="guard", TemplateBody=json.dumps(parts))
    (stack,) = cloudformation.describe_stacks(StackName="guard")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def parameter(value: Any) -> dict[str, Any]:
    properties = {"Name": "/acl", "Type": "String", "Value": value}
    return {"Type": "AWS::SSM::Parameter", "Properties": properties}


def test_a_stack_reads_the_output_of_one_in_another_region(cloud: Cloud) -> None:
    outputs = deploy_guard(cloud)
    assert outputs["WebAclArn"].startswith("arn:aws:wafv2:us-east-1:123456789012:global/webacl/")
    deploy(cloud.client, {"Acl": parameter({"Fn::GetStackOutput": OUTPUT})}, name="web")
    found = cloud.client("ssm").get_parameter(Name="/acl")["Parameter"]["Value"]
    assert found == outputs["WebAclArn"]
    assert [acl.attribute("Arn") for acl in cloud.account.web_acls()] == [found]


@pytest.mark.parametrize("missing", [{"OutputName": "Other"}, {"Region": "eu-west-1"}, {}])
def test_an_output_that_is_not_there_stops_the_deployment(
    cloud: Cloud, missing: dict[str, str]
) -> None:
    if missing:
        deploy_guard(cloud)
    reference = {"Fn::GetStackOutput": {**OUTPUT, **missing}}
    with pytest.raises((RolledBackError, ClientError), match="has no output"):
        deploy(cloud.client, {"Acl": parameter(reference)}, name="web")


def test_a_budget_can_be_asked_for_and_goes_with_its_stack(cloud: Cloud) -> None:
    deploy_guard(cloud)
    budgets = in_guard_region(cloud, "budgets")
    (found,) = budgets.describe_budgets(AccountId="123456789012")["Budgets"]
    wanted = only(guard_template(), "AWS::Budgets::Budget")["Budget"]["BudgetLimit"]
    assert float(found["BudgetLimit"]["Amount"]) == wanted["Amount"]
    in_guard_region(cloud, "cloudformation").delete_stack(StackName="guard")
    assert not budgets.describe_budgets(AccountId="123456789012")["Budgets"]
    assert cloud.account.web_acls() == []


def test_a_web_acl_for_cloudfront_is_refused_elsewhere_as_waf_does(cloud: Cloud) -> None:
    acl = {
        "Type": "AWS::WAFv2::WebACL",
        "Properties": only(guard_template(), "AWS::WAFv2::WebACL"),
    }
    with pytest.raises(RolledBackError, match="The scope is not valid"):
        deploy(cloud.client, {"Acl": acl}, name="web")
    assert "ROLLBACK" in status(cloud.client, name="web")


def test_the_accounts_concurrency_is_what_functions_have_not_reserved(cloud: Cloud) -> None:
    limit = cloud.client("lambda").get_account_settings()["AccountLimit"]
    assert (limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]) == (1000, 1000)
