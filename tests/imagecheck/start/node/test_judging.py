"""The judgement of a handler of Node by what is beside its files: Node, the client, packages."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from imagecheck.check import Report
from imagecheck.image.layer_cache import LayerCache
from imagecheck.start.handler_problem import HandlerProblem
from imagecheck.start.launch import Process
from imagecheck.start.node.program import judge_node_program
from tests.imagecheck.start.node.test_trees import predicted, report_of
from tests.support.imagecheck.cases import Case, check_case, node
from tests.support.imagecheck.images import Directory, File
from tests.support.imagecheck.node_trees import (
    CJS,
    ERROR,
    ESM,
    IMPORT,
    NOT_FOUND,
    STARTS,
    SYNTAX,
    both,
)

EXIT = "Runtime.ExitError"
OLD, NEW = (20, 18), (22, 23)


@pytest.mark.parametrize(
    ("version", "said"), [(OLD, SYNTAX), ((22, 4), SYNTAX), ((20, 19), STARTS), (NEW, STARTS)]
)
def test_only_newer_nodes_take_a_file_for_a_module_by_its_syntax(
    version: tuple[int, int], said: str, tmp_path: Path
) -> None:
    tree = both("module", "", {"index.js": ESM})

    assert predicted(report_of(tmp_path, tree, 3, version)) == said


@pytest.mark.parametrize(
    ("version", "said"), [(OLD, ERROR), ((22, 11), ERROR), ((22, 12), STARTS), (NEW, STARTS)]
)
def test_only_newer_nodes_require_modules(
    version: tuple[int, int], said: str, tmp_path: Path
) -> None:
    files = {
        "index.js": "const { a } = require('x');\n" + CJS,
        "node_modules/x/package.json": '{"type": "module", "main": "index.js"}',
        "node_modules/x/index.js": "export const a = 1;\n",
    }

    assert predicted(report_of(tmp_path, both("required", "", files), 3, version)) == said


def test_a_large_bundle_is_read(tmp_path: Path) -> None:
    text = "const data = '" + "x" * 2_000_000 + "';\n"

    good = report_of(tmp_path / "good", both("good", "", {"index.js": text + CJS}), 4)
    bad = report_of(tmp_path / "bad", both("bad", "", {"index.js": text}), 4)

    assert (predicted(good), predicted(bad)) == (STARTS, NOT_FOUND)


_PLATFORMS = '"@img/sharp-darwin-arm64": "1", "@img/sharp-linux-x64": "1"'
_SHARP = {
    "index.js": "require('sharp');\n" + CJS,
    "node_modules/sharp/package.json": (
        f'{{"name": "sharp", "main": "a.js", "optionalDependencies": {{{_PLATFORMS},'
        ' "@img/sharp-linux-arm64": "1"}}'
    ),
    "node_modules/sharp/a.js": "",
}


@pytest.mark.parametrize(
    ("installed", "said"),
    [
        (["darwin-arm64"], ERROR),
        ([], ERROR),
        (["darwin-arm64", "linux-x64", "linux-arm64"], STARTS),
    ],
)
def test_sharp_needs_its_package_for_the_platform(
    installed: list[str], said: str, tmp_path: Path
) -> None:
    files = dict(_SHARP)
    for name in installed:
        files[f"node_modules/@img/sharp-{name}/package.json"] = "{}"

    report = report_of(tmp_path, both("sharp", "", files), 4)

    assert predicted(report) == said


def _on_base(
    tmp_path: Path, *members: File | Directory, handler: str, env: Mapping[str, str]
) -> Report:
    case = Case(name="case", make=node(*members, handler=handler, env=env))
    return check_case(case, case.write(tmp_path), LayerCache(tmp_path / "cache"))


@pytest.mark.parametrize(("wrapped", "said"), [("app.handler", STARTS), ("api.handler", IMPORT)])
@pytest.mark.parametrize(
    ("package", "file", "handler", "variable"),
    [
        ("datadog-lambda-js", "handler.js", "/{}/handler.handler", "DD_LAMBDA_HANDLER"),
        # As its layers for Lambda have it.
        (
            "newrelic-lambda-wrapper",
            "index.js",
            "newrelic-lambda-wrapper.handler",
            "NEW_RELIC_LAMBDA_HANDLER",
        ),
        (
            "newrelic-esm-lambda-wrapper",
            "index.js",
            "/{}/index.handler",
            "NEW_RELIC_LAMBDA_HANDLER",
        ),
    ],
)
def test_the_handler_behind_a_vendors_is_judged_too(  # noqa: PLR0917
    package: str, file: str, handler: str, variable: str, wrapped: str, said: str, tmp_path: Path
) -> None:
    folder = f"opt/nodejs/node_modules/{package}"
    report = _on_base(
        tmp_path,
        *(Directory(f"opt/nodejs{more}") for more in ("", "/node_modules")),
        Directory(folder),
        File(f"{folder}/{file}", CJS),
        File("var/task/app.js", CJS),
        handler=handler.format(folder),
        env={variable: wrapped},
    )

    assert predicted(report) == said


@pytest.mark.parametrize(
    ("text", "severities"), [(ESM, ["warning"]), (CJS, []), (f"require('x');\n{CJS}", ["error"])]
)
def test_of_a_node_of_unknown_version_only_what_is_true_of_all_is_said(
    text: str, severities: list[str], tmp_path: Path
) -> None:
    report = _on_base(tmp_path, File("var/task/index.js", text), handler="index.handler", env={})

    assert [finding.severity for finding in report.findings] == severities


def test_a_package_of_a_layer_is_found_by_the_path_of_awss_base(tmp_path: Path) -> None:
    report = _on_base(
        tmp_path,
        *(Directory(f"opt/nodejs{more}") for more in ("", "/node_modules", "/node_modules/x")),
        File("opt/nodejs/node_modules/x/index.js", ""),
        File("var/task/index.mjs", "import 'x';\n" + ESM),
        handler="index.handler",
        env={},
    )

    assert predicted(report) == STARTS


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"server.js": "require('http');\n"}, []),
        # That the file itself is missing, C6 says.
        ({"app.js": ""}, []),
        ({"server.js": "require('./app');\n"}, ["E2"]),
        ({"server.js": "import './app.js';\n", "app.js": "await 1;\n"}, []),
        ({"server.js": "require('express');\n"}, ["E2"]),
        ({"server.js": "const a = ;\n"}, ["E4"]),
    ],
)
def test_a_program_that_is_no_client_is_judged(
    files: dict[str, str], found: list[str], tmp_path: Path
) -> None:
    subject = report_of(tmp_path, both("program", "", {"index.js": CJS, **files}), 4).subject
    assert subject.launch
    process = subject.launch.last
    server = Process(("node", "--enable-source-maps", "server.js"), process.chain, "/task", {})

    said = [one for one in judge_node_program(subject, server) if isinstance(one, HandlerProblem)]

    assert [one.rule for one in said] == found
    assert all(one.problem.error_type == "Runtime.ExitError" for one in said)


@pytest.mark.parametrize(
    ("options", "node_options", "found"),
    [
        (("-r", "./tracing.js"), "", []),
        (("-r", "./nothere.js"), "", ["E2"]),
        (("--require=x",), "", ["E2"]),
        (("--import", "./tracing.js"), "", []),
        ((), "--enable-source-maps --import ./nothere.mjs", ["E2"]),
        ((), "--require /tmp/made.js", []),
        (("--import", "file:///task/tracing.js"), "", []),
        (("--import", "file:///opt/tracing.js"), "", ["E2"]),
        (("--import", "file:///tmp/tracing.js"), "", []),
        (("--loader", "ts-node/esm"), "", ["E2"]),
        (("--env-file=.env",), "", ["E2"]),
        (("--env-file", "tracing.js"), "", []),
        (("--env-file-if-exists=.env",), "", []),
    ],
)
def test_what_node_loads_first_is_judged(
    options: tuple[str, ...], node_options: str, found: list[str], tmp_path: Path
) -> None:
    files = {"index.js": CJS, "server.js": "", "tracing.js": ""}
    subject = report_of(tmp_path, both("program", "", files), 4).subject
    assert subject.launch
    chain, environment = subject.launch.last.chain, {"NODE_OPTIONS": node_options}
    server = Process(("node", *options, "server.js"), chain, "/task", environment)

    said = [one for one in judge_node_program(subject, server) if isinstance(one, HandlerProblem)]

    assert [one.rule for one in said] == found
    assert all(one.problem.error_type == "Runtime.ExitError" for one in said)


@pytest.mark.parametrize(("has_native_part", "said"), [(False, EXIT), (True, STARTS)])
def test_a_client_without_its_native_part_ends(
    has_native_part: bool, said: str, tmp_path: Path
) -> None:
    program = 'import { createRequire } from "module"; // rapid-client.node\n'
    tree = both("native-part", "", {"index.js": CJS})

    report = report_of(tmp_path, tree, 4, program=program, has_native_part=has_native_part)

    assert predicted(report) == said


_NEEDS_TASK_ROOT = 'throw new Error("LAMBDA_TASK_ROOT environment variable is not set");\n'


@pytest.mark.parametrize(
    ("client", "task_root", "said"),
    [
        (_NEEDS_TASK_ROOT, "", IMPORT),
        (_NEEDS_TASK_ROOT, "/task", STARTS),
        ("const root = process.env.LAMBDA_TASK_ROOT ?? process.cwd();\n", "", STARTS),
    ],
)
def test_client_4_does_not_look_in_the_working_directory(
    client: str, task_root: str, said: str, tmp_path: Path
) -> None:
    tree = both("task-root", "", {"index.js": CJS})

    assert predicted(report_of(tmp_path, tree, 4, program=client, task_root=task_root)) == said
