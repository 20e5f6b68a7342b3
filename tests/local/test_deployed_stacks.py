"""Who starts an account hears of its stacks, before those hear who deploy them."""

import json
from pathlib import Path
from typing import Any

from local.cloud import Cloud, emulated_cloud
from tests.support.local.emulated_functions import Resources, RolledBackError, deploy

GROUP: Resources = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "rooms"}}


def test_a_stack_is_named_before_its_deployer_is_answered_and_the_account_can_be_used(
    tmp_path: Path,
) -> None:
    heard: list[tuple[str, str]] = []
    clouds: list[Cloud] = []

    def deployed(name: str) -> None:
        """Ask the account about the stack, which would never return under the account's lock."""
        described: Any = clouds[0].client("cloudformation").describe_stacks(StackName=name)
        heard.append((name, described["Stacks"][0]["StackStatus"]))

    with emulated_cloud(tmp_path, deployed=deployed) as cloud:
        clouds.append(cloud)
        deploy(cloud.client, {"Group": GROUP})
        assert heard == [("rooms", "CREATE_COMPLETE")]
        another = {**GROUP, "Properties": {"LogGroupName": "more"}}
        deploy(cloud.client, {"Group": GROUP, "Another": another})
        assert heard[1:] == [("rooms", "UPDATE_COMPLETE")]


def test_a_stack_that_is_rolled_back_is_not_named(tmp_path: Path) -> None:
    heard: list[str] = []
    broken = {"Type": "AWS::DynamoDB::Table", "Properties": {"ImportSourceSpecification": {}}}
    with emulated_cloud(tmp_path, deployed=heard.append) as cloud:
        try:
            deploy(cloud.client, {"Group": GROUP, "Table": broken})
        except RolledBackError:
            rolled_back = True
    assert rolled_back
    assert heard == []


def test_a_change_set_says_that_it_comes_without_property_values(tmp_path: Path) -> None:
    """The CDK then does not compare templates itself, for which it reads all schemas."""
    with emulated_cloud(tmp_path) as cloud:
        cloudformation = cloud.client("cloudformation")
        template = json.dumps({"Resources": {"Group": GROUP}})
        cloudformation.create_change_set(
            StackName="rooms",
            ChangeSetName="first",
            ChangeSetType="CREATE",
            TemplateBody=template,
        )
        names = {"StackName": "rooms", "ChangeSetName": "first"}
        asked = cloudformation.describe_change_set(**names, IncludePropertyValues=True)
        assert "can return incomplete ChangeSet data" in asked["StatusReason"]
        plain = cloudformation.describe_change_set(**names)
        assert "incomplete" not in plain.get("StatusReason", "")
        assert asked["Changes"] == plain["Changes"]
