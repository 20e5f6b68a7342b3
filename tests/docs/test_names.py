"""Documents and messages name only what exists: files, targets of make, commands, options."""

import re
from pathlib import PurePosixPath

import pytest

from config.names import StageNames
from release.cli import COMMANDS
from tests.support.cdk_context import ROOT
from tests.support.documents import Document, document, documents, tracked
from tests.support.mentions import (
    exists,
    made,
    make_targets,
    messages,
    paths,
    texts,
    unknown_options,
)

WORKFLOWS = [name for name in tracked() if name.endswith((".yml", ".ci/run"))]
# Files in the root have a name that others may have, too: those in Markdown's backticks are ours.
ROOT_FILE = re.compile(r"[\w.-]+\.(?:py|md|json|toml|yml|yaml|in|txt)")
OTHER_FILES = {
    "template.json",  # of whoever reads it
    "package.json",
    "requirements.txt",
    "lambda-image-check.toml",
    "record.json",
    "setup.py",
}


def test_every_path_that_a_text_names_is_there() -> None:
    wrong = [
        f"{name}: {path}" for name, text in texts() for path in paths(text) if not exists(path)
    ]

    assert wrong == []


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.name)
def test_every_file_in_backticks_is_one(page: Document) -> None:
    names = {PurePosixPath(name).name for name in tracked()} | OTHER_FILES
    files = {code for code in page.code() if ROOT_FILE.fullmatch(code)}

    assert files <= names


@pytest.mark.parametrize(
    "text",
    [
        "see `lambda_src/probe/play.py`",
        'openapi["docs/openapi.py"] --> routes',
        "`local/image_sandbox/`",
        "# stacks/settings.py says so",
        "tests/incident, the story",
    ],
)
def test_a_path_that_moved_is_found(text: str) -> None:
    assert [path for path in paths(text) if not exists(path)]


def test_a_path_that_is_there_or_somewhere_else_is_not_found() -> None:
    text = "`release/cli.py`, `tools/other_tools/`, tests/**/test_*.py, /var/release/x, cdk.out/x"

    assert not [path for path in paths(text) if not exists(path)]


def test_every_target_of_make_that_is_named_is_one() -> None:
    named = {
        (name, target)
        for name, text in texts()
        for line in (
            document(name).code()
            if name.endswith(".md")
            else [
                *re.findall(r"`(make [^`]+)`", text),
                *(
                    re.findall(r"^[\s-]*(?:run: )?(make .+)$", text, re.M)
                    if name in WORKFLOWS
                    else []
                ),
            ]
        )
        for target in made(line)
    }

    assert len(named) > 20
    assert {(name, target) for name, target in named if target not in make_targets()} == set()


def test_a_target_that_is_none_is_found() -> None:
    assert list(made("make nothing")) == ["nothing"]
    assert list(made("$ sudo make tools PORT=1")) == ["tools"]
    assert "nothing" not in make_targets()


@pytest.mark.parametrize("name", [*(page.name for page in documents()), *WORKFLOWS])
def test_every_option_that_a_document_names_is_one(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = text.splitlines()
    if name.endswith(".md"):
        # `push --skip-boot`: documents leave out what is in front.
        code = document(name).code()
        lines = [f"release {one}" if one.split(" ")[0] in COMMANDS else one for one in code]

    assert [wrong for line in lines for wrong in unknown_options(line)] == []


def test_every_option_that_a_message_names_is_one() -> None:
    sources = [
        name for name, _ in texts() if name.endswith(".py") and not name.startswith("tools/")
    ]
    wrong = [
        f"{name}: {option}"
        for name in sources
        if re.search(r"release |lambda-image-check", text := (ROOT / name).read_text("utf-8"))
        for message in messages(text)
        for option in unknown_options(message)
    ]

    assert wrong == []


def test_an_option_that_a_command_has_not_is_found() -> None:
    assert list(unknown_options("python -m release deploy dev --skip-check")) == [
        "deploy --skip-check"
    ]
    assert list(unknown_options("python -m release launch dev")) == ["launch"]
    assert list(unknown_options("uvx --from . lambda-image-check x.tar --cpu arm64")) == [
        "lambda-image-check --cpu"
    ]
    assert list(messages('print(f"python -m release {name} --all", "b")')) == [
        "python -m release x --all",
        "b",
    ]


STAGES_WRITTEN = ("dev", "prd", "<stage>", "&lt;stage&gt;", "STAGE", "{dev,prd}")


def names_of_resources(text: str) -> set[str]:
    """What a text names behind ``hima-five-bomber-STAGE-``; braces are expanded."""
    stages = "|".join(map(re.escape, STAGES_WRITTEN))
    found = re.findall(rf"hima-five-bomber-(?:{stages})-([a-z0-9-]+|\{{[a-z,]+\}})", text)
    return {name for one in found for name in one.strip("{}").split(",")}


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.name)
def test_every_stack_and_resource_is_one(page: Document) -> None:
    names = StageNames("dev")
    properties = [key for key, value in vars(StageNames).items() if isinstance(value, property)]
    values = {str(getattr(names, key)) for key in properties}
    known = {value.removeprefix(f"{names.prefix}-") for value in values}
    # As docs/restore.md calls a table that somebody has restored.
    known.add(f"{names.first_table}-restored".removeprefix(f"{names.prefix}-"))

    alarms = {name for name in names_of_resources(page.text) if re.search(r"-\d+$", name)}
    assert names_of_resources(page.text) - alarms <= known


def test_a_stack_that_is_none_is_found() -> None:
    text = "npx cdk destroy hima-five-bomber-dev-{web,room} hima-five-bomber-<stage>-page"

    assert names_of_resources(text) == {"web", "room", "page"}
