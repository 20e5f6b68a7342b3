"""Options without typer mean what they mean with it, and what is not plain is left to it."""

import sys
from subprocess import run

import pytest
import typer

from imagecheck import cli
from imagecheck.options import CheckOptions, command_of
from imagecheck.plain_options import plain_options

IMAGE = "docker://example.com/app:1"
PLAIN = [
    [IMAGE],
    [IMAGE, "--architecture", "arm64"],
    ["--architecture=arm64", IMAGE, "--debug"],
    [IMAGE, "--env", "A=1", "--env=B=2=3", "--env", "C="],
    [IMAGE, "--json", "--no-cache", "--timeout", "1.5"],
    [IMAGE, "--format", "sarif", "--template", "cdk.out/a b.json", "--function", "Rooms"],
    [IMAGE, "--ignore", "C13=ours", "--ignore", "E6", "--ignore-file", "ignored.txt"],
    [IMAGE, "--entrypoint", '["/bin/sh", "-c"]', "--command", "node a.js", "--workdir", "/app"],
    ["oci:build/image", "--dockerfile", "Dockerfile", "--base", "oci:x", "--against", "oci:y"],
]
LEFT = [
    [],
    ["--help"],
    [IMAGE, "-h"],
    [IMAGE, IMAGE],
    [IMAGE, "--"],
    [IMAGE, "--arch", "arm64"],
    [IMAGE, "--architecture"],
    [IMAGE, "--architecture", ""],
    [IMAGE, "--architecture", "--debug"],
    [IMAGE, "--architecture", "arm64", "--architecture", "x86_64"],
    [IMAGE, "--debug=yes"],
    [IMAGE, "--no-debug"],
    [IMAGE, "--format", "xml"],
    [IMAGE, "--timeout", "-1"],
    [IMAGE, "--timeout", "nan"],
    [IMAGE, "--timeout", "1e3"],
    ["--architecture", "arm64"],
]


def _by_typer(arguments: list[str]) -> CheckOptions:
    asked: list[CheckOptions] = []
    app = typer.Typer(add_completion=False)
    app.command()(command_of(asked.append, CheckOptions))
    with typer.main.get_command(app).make_context("check", list(arguments)) as context:
        context.command.invoke(context)
    return asked[0]


def _without_empty(options: CheckOptions) -> dict[str, object]:
    return {name: value for name, value in vars(options).items() if value not in (None, [], ())}


@pytest.mark.parametrize("arguments", PLAIN, ids=" ".join)
def test_plain_options_are_those_of_typer(arguments: list[str]) -> None:
    plain = plain_options(arguments, CheckOptions)

    assert plain is not None
    assert _without_empty(plain) == _without_empty(_by_typer(arguments))
    assert [type(value) for value in _without_empty(plain).values()] == [
        type(value) for value in _without_empty(_by_typer(arguments)).values()
    ]


@pytest.mark.parametrize("arguments", LEFT, ids=" ".join)
def test_what_is_not_plain_is_left_to_typer(arguments: list[str]) -> None:
    assert plain_options(arguments, CheckOptions) is None


@pytest.mark.parametrize("asked", ["--version", "--explain C1", "--list-rules", "--explain=C1"])
def test_what_ends_the_command_is_left_to_typer(asked: str) -> None:
    assert plain_options([IMAGE, *asked.split()], cli._Options) is None


@pytest.mark.parametrize("module", ["imagecheck", "release"])
def test_a_plain_command_imports_neither_pydantic_nor_the_judges(module: str) -> None:
    """Each of them takes longer to import than a known image takes to check."""
    command = ("check",) if module == "release" else ()
    heavy = "{'pydantic', 'boto3', 'urllib3', 'rich', 'tree_sitter', 'aws_cdk'}"
    program = (
        f"import sys; from {module}.cli import main;"
        f"sys.argv[1:] = {[*command, 'oci:missing', '--architecture', 'arm64']!r};"
        f"print(main(), sorted({heavy} & set(sys.modules)))"
    )

    done = run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "2 []\n"
    assert "missing" in done.stderr
