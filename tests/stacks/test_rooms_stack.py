"""Image and zip: two functions of which one exists, and everything else as it was."""

import json
from typing import Any

import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from app import build_app
from config.names import StageNames
from tests.support.cdk_context import context
from tests.support.templates import only, resources, rooms_template, rooms_template_with

NAMES = StageNames("dev")


def of_image() -> dict[str, Any]:
    return rooms_template(packaging="image")


def of_zip() -> dict[str, Any]:
    return rooms_template(packaging="zip")


@pytest.fixture(params=["image", "zip"])
def template(request: pytest.FixtureRequest) -> dict[str, Any]:
    return rooms_template(packaging=request.param)


def function_of(template: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    ((name, function),) = (
        (name, function["Properties"])
        for name, function in resources(template, "AWS::Lambda::Function").items()
        if not name.startswith("Hook")
    )
    return name, function


def test_the_two_functions_differ_in_id_name_and_log_since_none_can_become_the_other() -> None:
    (image_id, image), (zip_id, zipped) = function_of(of_image()), function_of(of_zip())
    assert image["PackageType"] == "Image"
    assert zipped.get("PackageType", "Zip") == "Zip"
    assert image_id != zip_id
    assert (image["FunctionName"], zipped["FunctionName"]) == (NAMES.function, NAMES.zip_function)
    assert image["LoggingConfig"]["LogGroup"] != zipped["LoggingConfig"]["LogGroup"]


def test_no_resource_that_exists_in_both_changes_its_package_type_or_its_name() -> None:
    """CloudFormation would have to replace it, and cannot while its name is taken."""
    for name in of_image()["Resources"].keys() & of_zip()["Resources"].keys():
        image, zipped = (template["Resources"][name] for template in (of_image(), of_zip()))
        assert image["Type"] == zipped["Type"]
        for key, value in image["Properties"].items():
            if key == "PackageType" or (key.endswith("Name") and isinstance(value, str)):
                assert zipped["Properties"].get(key) == value, name


def test_image_and_zip_differ_only_in_the_functions_resources() -> None:
    image_only = of_image()["Resources"].keys() - of_zip()["Resources"].keys()
    zip_only = of_zip()["Resources"].keys() - of_image()["Resources"].keys()
    (layer,) = resources(of_zip(), "AWS::Lambda::LayerVersion")
    kinds = [
        sorted(template["Resources"][name]["Type"] for name in names)
        for template, names in (
            (of_image(), image_only),
            (of_zip(), zip_only - {layer}),
        )
    ]
    assert kinds[0] == kinds[1]
    assert kinds[0] == [
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Function",
        "AWS::Lambda::Version",
    ]


@pytest.mark.proof
@pytest.mark.parametrize("stage", ["dev", "prd"])
def test_the_logs_of_both_are_in_both(stage: str) -> None:
    """Else a change of the packaging removes what says why it was made.

    By the same logical ids: CloudFormation could not make another log group of that name.
    """
    image, zipped = (
        resources(rooms_template(stage=stage, packaging=way), "AWS::Logs::LogGroup")
        for way in ("image", "zip")
    )
    assert image == zipped
    names = {group["Properties"]["LogGroupName"] for group in image.values()}
    stage_names = StageNames(stage)
    assert {f"/aws/lambda/{stage_names.function}", f"/aws/lambda/{stage_names.zip_function}"} <= (
        names
    )


def test_logs_outlive_the_stack_where_data_is_kept() -> None:
    for template, policies in (
        (rooms_template(stage="prd"), {("RetainExceptOnCreate", "Retain")}),
        (of_image(), {("Delete", "Delete")}),
    ):
        groups = resources(template, "AWS::Logs::LogGroup").values()
        assert len(groups) == 4
        found = {(group["DeletionPolicy"], group["UpdateReplacePolicy"]) for group in groups}
        assert found == policies


@pytest.mark.parametrize(
    "kind",
    [
        "AWS::DynamoDB::Table",
        "AWS::ApiGatewayV2::Api",
        "AWS::ApiGatewayV2::Route",
        "AWS::SSM::Parameter",
        "AWS::CodeDeploy::Application",
        "AWS::CodeDeploy::DeploymentGroup",
        "AWS::SNS::Topic",
        "AWS::CloudWatch::Dashboard",
    ],
)
def test_names_that_people_know_stay(kind: str) -> None:
    assert resources(of_image(), kind).keys() == resources(of_zip(), kind).keys() != set()


def test_all_that_watches_and_calls_the_function_moves_to_the_other_one() -> None:
    for template, gone in ((of_image(), of_zip()), (of_zip(), of_image())):
        text = json.dumps(template["Resources"])
        (alias,) = resources(gone, "AWS::Lambda::Alias")
        for name in (function_of(gone)[0], alias, *resources(gone, "AWS::Lambda::Version")):
            assert f'"{name}"' not in text
        assert list(template["Outputs"]) == list(gone["Outputs"])


def test_the_same_code_is_started_in_the_same_way() -> None:
    (_, image), (_, zipped) = function_of(of_image()), function_of(of_zip())
    own = {"Code", "FunctionName", "LoggingConfig", "Role"}
    only_zip = {"Handler", "Runtime", "Layers"}
    assert zipped.keys() - image.keys() == only_zip
    assert image.keys() - zipped.keys() == {"PackageType"}
    for key in image.keys() - own - {"PackageType"}:
        assert image[key] == zipped[key]
    assert zipped["Handler"] == "rooms.main.handler"


def test_both_may_do_the_same() -> None:
    actions = [
        [
            statement["Action"]
            for statement in only(template, "AWS::IAM::Policy", named=prefix)["PolicyDocument"][
                "Statement"
            ]
        ]
        for template, prefix in (
            (of_image(), "FunctionRole"),
            (of_zip(), "ZipFunctionRole"),
        )
    ]
    assert actions[0] == actions[1]


def test_old_versions_outlive_a_deployment_so_that_there_is_a_way_back(
    template: dict[str, Any],
) -> None:
    (version,) = resources(template, "AWS::Lambda::Version").values()
    assert version["UpdateReplacePolicy"] == "Retain"
    assert version["DeletionPolicy"] == "RetainExceptOnCreate"


def test_callers_use_the_alias_and_the_alias_the_new_version(template: dict[str, Any]) -> None:
    (alias,) = resources(template, "AWS::Lambda::Alias")
    (version,) = resources(template, "AWS::Lambda::Version")
    properties = template["Resources"][alias]["Properties"]
    assert properties["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}
    assert only(template, "AWS::ApiGatewayV2::Integration")["IntegrationUri"] == {"Ref": alias}
    for permission in resources(template, "AWS::Lambda::Permission").values():
        assert permission["Properties"]["FunctionName"] == {"Ref": alias}


def test_no_template_names_a_tag_or_overrides_what_an_image_starts(
    template: dict[str, Any],
) -> None:
    for function in resources(template, "AWS::Lambda::Function").values():
        assert "ImageConfig" not in function["Properties"]
        if uri := function["Properties"]["Code"].get("ImageUri"):
            assert "@sha256:" in uri["Fn::Join"][1][-1]
    assert "latest" not in json.dumps(template)


@pytest.mark.proof
def test_other_libraries_are_another_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Else a layer would change without a canary."""
    changed = tmp_path / "requirements.txt"
    changed.write_text("msgspec==0.0.0\n")
    monkeypatch.setattr("constructs.libraries_layer.REQUIREMENTS", changed)
    app = build_app(context=context(stage="dev", packaging="zip"))
    stack = app.node.find_child("hima-five-bomber-dev-rooms")
    other = dict(Template.from_stack(stack).to_json())  # type: ignore[arg-type]
    assert resources(other, "AWS::Lambda::Version").keys() != {
        *resources(of_zip(), "AWS::Lambda::Version")
    }


def test_the_runtime_is_one_that_cdk_knows() -> None:
    _, zipped = function_of(of_zip())
    assert zipped["Runtime"] == lambda_.Runtime.PYTHON_3_13.name


def test_commands_find_what_they_ask_for() -> None:
    for template in (of_image(), of_zip()):
        function, _ = function_of(template)
        outputs = {name: output["Value"] for name, output in template["Outputs"].items()}
        assert outputs.keys() == {
            "ApiUrl",
            "AlarmTopicArn",
            "FunctionName",
            "HookLogGroup",
            "TableName",
            "DeploymentApplication",
            "DeploymentGroup",
        }
        assert outputs["FunctionName"] == {"Ref": function}
        assert outputs["DeploymentApplication"] == {"Ref": "DeploymentApplication7D968237"}
        assert outputs["DeploymentGroup"] == {"Ref": "DeploymentGroup3F4DA7D3"}


RESTORED = "hima-five-bomber-prd-rooms-restored"


@pytest.mark.proof
def test_another_table_is_a_new_resource_which_cloudformation_can_import() -> None:
    """It imports what has a logical id that is new to it, a fixed name, and a policy to retain."""
    first, other = rooms_template_with("prd"), rooms_template_with("prd", table=RESTORED)
    (old,), (new,) = (resources(one, "AWS::DynamoDB::Table") for one in (first, other))
    assert old != new
    before, after = first["Resources"][old], other["Resources"][new]
    assert after["Properties"] == {**before["Properties"], "TableName": RESTORED}
    assert after["DeletionPolicy"] == before["DeletionPolicy"] == "Retain"


@pytest.mark.proof
def test_all_that_uses_the_table_goes_to_the_other_one() -> None:
    other = rooms_template_with("prd", table=RESTORED)
    _, function = function_of(other)
    assert function["Environment"]["Variables"]["ROOMS_TABLE"] == RESTORED
    assert other["Outputs"]["TableName"]["Value"] == RESTORED
    (table,) = resources(other, "AWS::DynamoDB::Table")
    for name, alarm in resources(other, "AWS::CloudWatch::Alarm").items():
        if "table" in name:
            assert f'"{table}"' in json.dumps(alarm)


@pytest.mark.proof
def test_the_version_before_keeps_its_access_while_another_table_comes() -> None:
    """A policy that is in both templates is changed before the alias moves: it names the first."""
    first, other = rooms_template_with("prd"), rooms_template_with("prd", table=RESTORED)
    third = rooms_template_with("prd", table=f"{RESTORED}-2")
    (shared,) = (
        name
        for name in resources(first, "AWS::IAM::Policy").keys()
        & resources(other, "AWS::IAM::Policy").keys()
        if name.startswith("FunctionRole")
    )
    assert ':table/hima-five-bomber-prd-rooms"' in json.dumps(other["Resources"][shared])
    own = [
        {name for name in resources(one, "AWS::IAM::Policy") if name.startswith("Table")}
        for one in (other, third)
    ]
    assert [len(names) for names in own] == [1, 1]
    assert own[0] != own[1], "the one that goes would be changed, and lose its table too early"
