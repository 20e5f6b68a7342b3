"""The app as a whole: which stacks a stage has, and whether they are sound."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Annotations, Match, Template
from cdk_nag import AwsSolutionsChecks

from app import build_app
from config.names import GITHUB_STACK
from config.settings import ConfigurationError, read_settings
from tests.support.cdk_context import CDK_JSON, GITHUB, PINNED, ROOT, STAGES, context
from tests.support.sampling import mostly_proofs

WAYS: list[dict[str, Any]] = [
    {"packaging": "image", "github": GITHUB},
    {"packaging": "zip"},
    {"emergency": "true"},
]
"""The ways in which a stage is deployed; the first one has what lets GitHub deploy it."""

GUARDED = ("local", "prd")
"""The stages with a limit for each client."""


def stacks_of(app: App) -> dict[str, Stack]:
    return {child.node.id: child for child in app.node.children if isinstance(child, Stack)}


@pytest.mark.proof
@pytest.mark.parametrize("stage", STAGES)
def test_a_pinned_stage_has_its_registry_its_rooms_and_its_page(stage: str) -> None:
    stacks = stacks_of(build_app(context=context(stage=stage)))
    prefix = f"hima-five-bomber-{stage}"
    registry, rooms, web = (f"{prefix}-{part}" for part in ("registry", "rooms", "web"))
    guard = [f"{prefix}-guard"] if stage in GUARDED else []
    assert list(stacks) == [registry, rooms, web, *guard]
    assert stacks[rooms].dependencies == [stacks[registry]]
    assert stacks[web].dependencies == [stacks[name] for name in (rooms, *guard)]


@pytest.mark.proof
@pytest.mark.parametrize("setting", ["requestsPerClient", "monthlyBudgetUsd"])
def test_one_of_its_settings_is_enough_for_a_guard_and_it_is_in_its_own_region(
    setting: str,
) -> None:
    stages = CDK_JSON["context"]["stages"]
    given = {**stages, "dev": {**stages["dev"], "region": "eu-west-1", setting: 100}}
    stacks = stacks_of(build_app(context=context(stage="dev", stages=given)))
    assert stacks["hima-five-bomber-dev-guard"].region == "us-east-1"
    assert stacks["hima-five-bomber-dev-web"].region == "eu-west-1"


def test_where_people_play_no_client_gets_more_than_a_fifth_of_a_route() -> None:
    settings = read_settings(CDK_JSON["context"]["stages"], "prd")
    assert settings.requests_per_client
    assert settings.requests_per_client * 5 <= 60 * settings.requests_per_second
    assert settings.monthly_budget_usd
    assert settings.reserved_concurrency


@pytest.mark.proof
@pytest.mark.parametrize("packaging", ["image", "zip"])
def test_a_region_is_that_of_the_settings_or_of_whoever_deploys(
    packaging: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never that of whoever synthesizes: so one assembly can be made before it is known."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("CDK_DEFAULT_REGION", "us-east-1")
    stages = CDK_JSON["context"]["stages"]
    given = {**stages, "prd": {**stages["prd"], "region": "eu-west-1"}}
    app = build_app(
        context=context(stage="dev,prd", stages=given, packaging=packaging, github=GITHUB)
    )
    environments = {stack.stack_name: stack.environment.region for stack in app.synth().stacks}
    prefix = "hima-five-bomber"
    parts = ("registry", "delivery", "rooms", "web")
    assert environments == {
        GITHUB_STACK: "unknown-region",
        **{f"{prefix}-dev-{part}": "unknown-region" for part in parts},
        **{f"{prefix}-prd-{part}": "eu-west-1" for part in parts},
        f"{prefix}-prd-guard": "us-east-1",
    }


@pytest.mark.proof
def test_several_stages_are_in_one_app_each_as_it_is_alone() -> None:
    together = stacks_of(build_app(context=context(stage="dev,prd")))
    alone = {
        name: stack
        for stage in ("dev", "prd")
        for name, stack in stacks_of(build_app(context=context(stage=stage))).items()
    }
    assert list(together) == list(alone)
    for name, stack in alone.items():
        template = Template.from_stack(together[name])
        assert template.to_json() == Template.from_stack(stack).to_json()


@pytest.mark.parametrize("stages", ["dev,", ",dev", "dev,prod", "dev, prd", ""])
def test_a_list_with_an_unknown_stage_is_refused(stages: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no stage"):
        build_app(context=context(stage=stages))


def test_a_stage_without_a_pin_has_only_its_registry_and_a_hint(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "image-lock.json"
    lock.write_text("{}")
    stacks = stacks_of(build_app(context=context(stage="prd", imageLock=str(lock))))
    assert list(stacks) == ["hima-five-bomber-prd-registry"]
    Annotations.from_stack(stacks["hima-five-bomber-prd-registry"]).has_warning(
        "*",
        Match.string_like_regexp(
            "No image is pinned for stage prd.*npx cdk deploy -c stage=prd.*"
            r"python -m release build \.\.\. pin.*image-lock.json.*README.md, 'Deploy to AWS'"
        ),
    )


@pytest.mark.parametrize("stage", STAGES)
def test_github_gets_its_roles_before_there_is_an_image(stage: str, tmp_path: Path) -> None:
    lock = tmp_path / "image-lock.json"
    lock.write_text("{}")
    given = context(stage=stage, imageLock=str(lock), github=GITHUB)
    stacks = stacks_of(build_app(context=given))
    registry, delivery = (f"hima-five-bomber-{stage}-{part}" for part in ("registry", "delivery"))
    assert list(stacks) == [registry, GITHUB_STACK, delivery]
    assert stacks[delivery].dependencies == [stacks[GITHUB_STACK]]
    assert stacks[registry].dependencies == []


@pytest.mark.proof
def test_github_changes_nothing_of_what_is_deployed() -> None:
    without, having = (
        {
            name: Template.from_stack(stack).to_json()
            for name, stack in stacks_of(build_app(context=given)).items()
        }
        for given in (context(), context(github=GITHUB))
    )
    added = {GITHUB_STACK, "hima-five-bomber-dev-delivery"}
    assert having.keys() - without.keys() == added
    assert {name: having[name] for name in without} == without


def test_no_repository_deploys_unless_somebody_says_so() -> None:
    assert "github" not in CDK_JSON["context"]


def test_a_repository_that_is_not_described_is_refused() -> None:
    given = context(github={**GITHUB, "repositoryId": 456789})
    with pytest.raises(ConfigurationError, match=r"context\.github: .*repositoryId"):
        build_app(context=given)


def test_a_zip_needs_no_pin(tmp_path: Path) -> None:
    lock = tmp_path / "image-lock.json"
    lock.write_text("{}")
    app = build_app(context=context(stage="prd", imageLock=str(lock), packaging="zip"))
    assert list(stacks_of(app)) == [
        f"hima-five-bomber-prd-{part}" for part in ("registry", "rooms", "web", "guard")
    ]


@pytest.mark.proof
def test_a_zip_does_not_mind_a_pin_that_could_not_be_deployed(tmp_path: Path) -> None:
    """The way out of a broken image must not lead through it."""
    lock = tmp_path / "image-lock.json"
    pins = json.loads((ROOT / PINNED).read_text())
    lock.write_text(json.dumps({"dev": {**pins["dev"], "digest": "latest"}}))
    build_app(context=context(imageLock=str(lock), packaging="zip"))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"packaging": "Zip"}, "no packaging 'Zip'"),
        ({"packaging": ""}, "no packaging ''"),
        ({"packaging": True}, "no packaging True"),
        ({"emergency": "yes"}, "emergency=yes is neither true nor false"),
        ({"emergency": "True"}, "emergency=True is neither"),
        ({"emergency": True}, "emergency=True is neither"),
        ({"emergency": ""}, "emergency= is neither"),
    ],
)
def test_a_way_to_deploy_that_is_not_known_is_refused(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        build_app(context=context(**changed))


def test_no_emergency_is_left_switched_on() -> None:
    """What `cdk.json` says goes for everybody's next deployment."""
    assert "emergency" not in CDK_JSON["context"]
    assert CDK_JSON["context"]["packaging"] == "image"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"architecture": "x86_64"}, "built for x86_64.*set to arm64.*could not start"),
        ({"digest": "latest"}, r"image-lock\.json, dev\.digest: .*'latest' is a tag"),
        ({"digest": "SHA256:" + "1" * 64}, r"dev\.digest: .*upper-case"),
    ],
)
def test_a_pin_that_cannot_be_deployed_is_refused(
    tmp_path: Path, change: dict[str, str], told: str
) -> None:
    lock = tmp_path / "image-lock.json"
    pins = json.loads((ROOT / PINNED).read_text())
    lock.write_text(json.dumps({"dev": {**pins["dev"], **change}}))
    with pytest.raises(ConfigurationError, match=told):
        build_app(context=context(imageLock=str(lock)))


def test_without_the_context_of_cdk_json_it_says_where_that_comes_from() -> None:
    with pytest.raises(ConfigurationError, match="no context 'stage'") as missing:
        build_app()
    assert "npx cdk synth" in str(missing.value.hint)


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no stage 'prod'"):
        build_app(context=context(stage="prod"))


def test_templates_name_no_account_and_no_region_and_everything_else_is_named_after_the_stage() -> (
    None
):
    for stack in stacks_of(build_app(context=context(stage="dev"))).values():
        text = json.dumps(Template.from_stack(stack).to_json())
        assert not re.search(r"\b\d{12}\b", text)
        assert not re.search(r"\b(ap|eu|us)-[a-z]+-\d\b", text)
        named = re.findall(
            r'"(?:TableName|FunctionName|RepositoryName|AlarmName|LogGroupName)": "([^"]+)"', text
        )
        assert named
        assert all("hima-five-bomber-dev-" in name for name in named)


@pytest.mark.proof
def test_the_same_settings_give_the_same_templates() -> None:
    once, again = (
        [Template.from_stack(stack).to_json() for stack in stacks_of(app).values()]
        for app in (build_app(context=context()), build_app(context=context()))
    )
    assert once == again


def test_stateful_resources_keep_their_logical_ids() -> None:
    """A changed id would make CloudFormation replace the table or the repository."""
    registry, rooms, *_ = stacks_of(build_app(context=context(stage="prd"))).values()
    ids = {
        kind: list(Template.from_stack(stack).find_resources(kind))
        for stack, kind in (
            (registry, "AWS::ECR::Repository"),
            (rooms, "AWS::DynamoDB::Table"),
        )
    }
    assert ids == {
        "AWS::ECR::Repository": ["ImagesRepository2D0F5B9C"],
        "AWS::DynamoDB::Table": ["Table710B521B"],
    }


@pytest.mark.parametrize("ways", WAYS, ids=["image", "zip", "emergency"])
@pytest.mark.parametrize("stage", mostly_proofs(reversed(STAGES)))
def test_cdk_nag_finds_nothing(stage: str, ways: dict[str, Any]) -> None:
    app = build_app(context=context(stage=stage, **ways))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


@pytest.mark.proof
def test_cdk_nag_would_find_something() -> None:
    app = build_app(context=context())
    sqs.Queue(Stack(app, "careless"), "Queue")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="dead-letter queue"):
        app.synth()


@pytest.mark.proof
@pytest.mark.parametrize("ways", WAYS)
def test_cfn_lint_finds_nothing(ways: dict[str, Any], tmp_path: Path) -> None:
    """Stages differ in numbers alone, so one that keeps its data stands for all."""
    assembly = build_app(context=context(stage="prd", **ways)).synth()
    templates = [Path(assembly.directory, stack.template_file) for stack in assembly.stacks]
    assert len(templates) == (6 if "github" in ways else 4)
    lint = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), *templates, "--regions", "ap-northeast-1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert lint.returncode == 0, lint.stdout


def cdk(*arguments: str, output: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the CDK CLI as on a machine that has never heard of AWS."""
    known = ("PATH", "LANG", "JSII_RUNTIME_PACKAGE_CACHE_ROOT")
    return subprocess.run(
        [ROOT / "node_modules/.bin/cdk", *arguments, "--no-notices", "--output", output],
        cwd=ROOT,
        env={key: os.environ[key] for key in known if key in os.environ}
        | {"HOME": str(output)}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_cdk_cli_synthesizes_a_stage_without_credentials(tmp_path: Path) -> None:
    """The CDK library validates the templates: this is the gate of a change. See decisions.md."""
    lock = f"imageLock={PINNED}"
    pinned = cdk("synth", "-c", "stage=prd", "-c", lock, "--quiet", output=tmp_path)
    assert pinned.returncode == 0, pinned.stderr
    assert {file.name for file in tmp_path.glob("*.template.json")} == {
        "hima-five-bomber-prd-guard.template.json",
        "hima-five-bomber-prd-registry.template.json",
        "hima-five-bomber-prd-rooms.template.json",
        "hima-five-bomber-prd-web.template.json",
    }
    # What the library leaves of a validation, and of nothing else in a stage that is pinned.
    assert (tmp_path / "validation-report.json").exists()


@pytest.mark.proof
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-c", "stage=prod"), "error: there is no stage 'prod' in cdk.json"),
        (("-c", "imageLock=nowhere.json"), "nowhere.json is missing"),
    ],
)
def test_a_mistake_ends_the_cdk_cli_with_one_message_and_no_stack_trace(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    failed = cdk("synth", *arguments, "--quiet", output=tmp_path)
    assert failed.returncode != 0
    assert told in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.proof
def test_a_zip_is_put_together_without_docker_or_credentials() -> None:
    bundled: dict[str, Any] = {"aws:cdk:bundling-stacks": ["hima-five-bomber-dev-rooms"]}
    assembly = build_app(context=context(packaging="zip", **bundled)).synth()
    (manifest,) = Path(assembly.directory).glob("*-rooms.assets.json")
    assets = json.loads(manifest.read_text())["files"].values()
    folders = [
        Path(assembly.directory, asset["source"]["path"])
        for asset in assets
        if asset["source"]["packaging"] == "zip"
    ]
    names = [sorted(file.name for file in folder.iterdir()) for folder in folders]
    assert sorted(names) == [["contract", "pre_traffic_hook"], ["python"], ["rooms"]]


@pytest.mark.proof
def test_missing_libraries_end_the_cdk_cli_with_one_message(tmp_path: Path) -> None:
    failed = cdk("synth", "-c", "packaging=zip", output=tmp_path, PIP_NO_INDEX="1")
    assert failed.returncode != 0
    assert "error: the libraries for the zip's layer (Python 3.13, arm64)" in failed.stderr
    assert "No matching distribution found for msgspec" in failed.stderr
    for noise in ("Traceback", "jsii", "docker", "\x1b["):
        assert noise not in failed.stderr


def test_cdk_json_runs_the_interpreter_of_the_environment() -> None:
    assert CDK_JSON["app"] == "python3 app.py"
