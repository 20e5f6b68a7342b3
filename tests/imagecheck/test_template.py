"""Functions in templates, as CDK and as people write them."""

import json
from pathlib import Path
from typing import Any

import pytest

from imagecheck.function import Function
from imagecheck.image.errors import ImageReadError
from imagecheck.template import limits_of, read_function, read_tables
from tests.support.errors import shows

SNAPSHOTS = Path(__file__).parents[1] / "stacks/__snapshots__/test_snapshots"
URI = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/rooms@sha256:" + "0" * 64


def template(folder: Path, **functions: dict[str, Any]) -> Path:
    path = folder / "template.json"
    resources: dict[str, Any] = {"Table": {"Type": "AWS::DynamoDB::Table"}}
    for name, properties in functions.items():
        resources[name] = {"Type": "AWS::Lambda::Function", "Properties": properties}
    path.write_text(json.dumps({"Resources": resources}))
    return path


def image_function(**properties: Any) -> dict[str, Any]:
    return {"PackageType": "Image", "Code": {"ImageUri": URI}, **properties}


def read(folder: Path, **properties: Any) -> Function:
    return read_function(template(folder, F=image_function(**properties)))


@pytest.mark.parametrize("stage", ["dev", "prd", "local"])
def test_our_own_templates(stage: str) -> None:
    path = SNAPSHOTS / f"test_template[rooms-{stage}].json"
    (name, properties), *_ = (
        (name, resource["Properties"])
        for name, resource in json.loads(path.read_text())["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function"
    )

    function = read_function(path)

    assert function.declared
    assert (function.declared.logical_id, function.declared.properties) == (name, properties)
    assert [function.architecture] == properties["Architectures"]
    assert function.declared.image_uri.startswith("${AWS::AccountId}.dkr.ecr.")
    assert "@sha256:" in function.declared.image_uri
    assert function.environment.keys() == properties["Environment"]["Variables"].keys()


def test_everything_that_decides(tmp_path: Path) -> None:
    function = read(
        tmp_path,
        Architectures=["arm64"],
        ImageConfig={
            "EntryPoint": ["/run", {"Ref": "Flag"}],
            "Command": ["app.handler"],
            "WorkingDirectory": "/var/task",
        },
        Environment={"Variables": {"A": "b", "TABLE": {"Ref": "Table"}, "N": 5}},
    )

    assert function.architecture == "arm64"
    assert (function.entrypoint, function.command) == (("/run", "${Flag}"), ("app.handler",))
    assert function.workdir == "/var/task"
    assert function.environment == {"A": "b", "TABLE": "${Table}", "N": "5"}


def test_nothing_that_decides(tmp_path: Path) -> None:
    function = read(tmp_path)

    assert function.architecture == "x86_64"
    assert (function.entrypoint, function.command, function.workdir) == (None, None, None)
    assert function.environment == {}


def test_an_empty_override_is_kept_apart_from_none(tmp_path: Path) -> None:
    function = read(tmp_path, ImageConfig={"EntryPoint": [], "WorkingDirectory": ""})

    assert (function.entrypoint, function.command, function.workdir) == ((), None, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ({"Ref": "Name"}, "${Name}"),
        ({"Fn::Sub": "${A}.x"}, "${A}.x"),
        ({"Fn::Sub": ["${A}.x", {"A": "b"}]}, "${A}.x"),
        (
            {"Fn::Join": ["", [{"Ref": "A"}, ".dkr", {"Fn::Join": ["-", ["x", "y"]]}]]},
            "${A}.dkrx-y",
        ),
        ({"Fn::GetAtt": ["Repository", "RepositoryUri"]}, "${Repository.RepositoryUri}"),
        ({"Fn::GetAtt": "Repository.RepositoryUri"}, "${Repository.RepositoryUri}"),
        ({"Fn::ImportValue": "x"}, "${Fn::ImportValue}"),
        ({"Fn::If": ["C", "a", "b"]}, "${Fn::If}"),
    ],
)
def test_what_only_cloudformation_knows_is_named(tmp_path: Path, value: Any, text: str) -> None:
    function = read(tmp_path, Code={"ImageUri": value})

    assert function.declared and function.declared.image_uri == text


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        (
            {"Architectures": ["mips"]},
            r"F has Architectures \['mips'\]; Lambda has arm64 or x86_64",
        ),
        ({"Architectures": ["arm64", "x86_64"]}, "F has Architectures"),
        ({"Architectures": [{"Ref": "Cpu"}]}, r"F has Architectures \['\${Cpu}'\]"),
        ({"Architectures": {"Ref": "Cpu"}}, r"F has \${Cpu} where a list should be"),
        ({"ImageConfig": {"Command": {"Ref": "Cmd"}}}, r"F has \${Cmd} where a list should be"),
        ({"ImageConfig": {"EntryPoint": {"Fn::If": [1, 2, 3]}}}, "where a list should be"),
        ({"ImageConfig": {"Fn::If": [1, 2, 3]}}, r"ImageConfig \${Fn::If}, known only when"),
    ],
)
def test_what_cannot_be_known_is_not_guessed(
    tmp_path: Path, properties: dict[str, Any], why: str
) -> None:
    with pytest.raises(ImageReadError, match=why):
        read(tmp_path, **properties)


def test_which_function(tmp_path: Path) -> None:
    zip_function = {"Handler": "index.handler", "Code": {"ZipFile": "x"}}
    path = template(
        tmp_path, Zip=zip_function, One=image_function(), Two={"Code": {"ImageUri": URI}}
    )

    for name in ("One", "Two"):
        function = read_function(path, name)
        assert function.declared and function.declared.logical_id == name
    with pytest.raises(
        ImageReadError, check=shows(r"2 functions that run an image\nhint: .*: One, Two")
    ):
        read_function(path)
    for name in ("Three", "Table"):
        with pytest.raises(
            ImageReadError, check=shows(f"'{name}'\nhint: its functions are Zip, One, Two")
        ):
            read_function(path, name)

    only = template(tmp_path, Zip=zip_function, One=image_function())
    declared = read_function(only).declared
    assert declared and declared.logical_id == "One"
    with pytest.raises(ImageReadError, match="has no function that runs an image"):
        read_function(template(tmp_path, Zip=zip_function))


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"Resources": []}', '{"Resources": {"F": 5}}', "Resources:\n  F: {}\n",
     "{" * 10_000, '{"a":' * 100_000, "\x00", '{"Resources": null}'],
)  # fmt: skip
def test_what_is_no_template(tmp_path: Path, content: str) -> None:
    path = tmp_path / "template.json"
    path.write_text(content)

    with pytest.raises(
        ImageReadError, check=shows("is not a CloudFormation template in JSON\nhint: `cdk synth`")
    ):
        read_function(path)


def test_a_template_that_cannot_be_read(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "nowhere", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(
            ImageReadError, check=shows(f"{path}: {why}.*\nhint: `cdk synth` writes ")
        ):
            read_function(path)


def test_resources_that_are_no_mappings_of_the_usual_kind(tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(
        json.dumps(
            {"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": 5}, "G": {}}}
        )
    )

    with pytest.raises(ImageReadError, match="has no function that runs an image"):
        read_function(path)
    assert read_function(path, "F").architecture == "x86_64"


@pytest.mark.parametrize(
    ("properties", "limits"),
    [
        ({}, (128, 3)),
        ({"MemorySize": 512, "Timeout": 20}, (512, 20)),
        ({"MemorySize": "1024"}, (1024, 3)),
    ],
)
def test_what_a_function_may_use(
    tmp_path: Path, properties: dict[str, Any], limits: tuple[int, int]
) -> None:
    declared = read(tmp_path, **properties).declared

    assert declared
    found = limits_of(declared)
    assert (found.memory_mb, found.timeout_seconds) == limits


def test_what_a_function_may_use_is_not_guessed(tmp_path: Path) -> None:
    declared = read(tmp_path, MemorySize={"Ref": "Memory"}).declared

    assert declared
    with pytest.raises(ImageReadError, match=r"F has MemorySize \${Memory} and Timeout 3, known"):
        limits_of(declared)


def test_tables(tmp_path: Path) -> None:
    path = template(tmp_path, F=image_function())
    assert read_tables(path) == {"Table": {}}

    for stage in ("dev", "prd"):
        (table,) = read_tables(SNAPSHOTS / f"test_template[rooms-{stage}].json").values()
        assert table["TableName"] == f"hima-five-bomber-{stage}-rooms"
        assert table["KeySchema"]
