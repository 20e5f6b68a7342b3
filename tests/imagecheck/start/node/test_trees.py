"""Findings about handlers of Node agree with the reports of AWS's clients."""

from pathlib import Path
from typing import Any

import pytest

from imagecheck.check import Report, check_image
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from tests.support.imagecheck.cases import ON_HOST, Silent
from tests.support.imagecheck.images import Directory, File, Image, Symlink, layer_of, write_image
from tests.support.imagecheck.node_trees import OTHERWISE, STARTS, TREES, Tree, reported_by
from tests.support.imagecheck.programs import HOST, tiny_elf
from tests.support.sampling import mostly_proofs

VERSIONS = {3: "3.3.0", 4: "4.0.2"}
CLIENT = "client/node_modules/.bin/aws-lambda-ric"
_HEADER = "#define NODE_MAJOR_VERSION {}\n#define NODE_MINOR_VERSION {}\n"


def image_of(
    folder: Path,
    tree: Tree,
    client: int,
    node: tuple[int, int] = (22, 23),
    *,
    program: str = "",
    task_root: str = "/task",
    has_native_part: bool = False,
) -> Image:
    """Write an image with a tree, and with a client and a Node that are there in name."""
    package = "client/node_modules/aws-lambda-ric"
    base = layer_of(
        File("usr/local/bin/node", tiny_elf(), 0o755),
        File("usr/local/include/node/node_version.h", _HEADER.format(*node)),
        File(f"{package}/package.json", f'{{"version": "{VERSIONS[client]}"}}'),
        File(f"{package}/index.mjs", f"#!/usr/bin/env node\n{program}", 0o755),
        Symlink(CLIENT, "../aws-lambda-ric/index.mjs"),
        Directory("task"),
        *([File(f"{package}/rapid-client.node", tiny_elf())] if has_native_part else []),
    )
    return write_image(
        folder,
        [base, layer_of(*tree.members(), parents=False)],
        entrypoint=["/usr/local/bin/node", f"/{CLIENT}"],
        cmd=[tree.handler],
        workdir="/task",
        env={"PATH": "/usr/local/bin"} | ({"LAMBDA_TASK_ROOT": task_root} if task_root else {}),
        architecture=HOST,
    )


def report_of(
    folder: Path, tree: Tree, client: int, node: tuple[int, int] = (22, 23), **settings: Any
) -> Report:
    image = image_of(folder, tree, client, node, **settings)
    return check_image(
        parse_reference(image.reference),
        ON_HOST,
        cache=LayerCache(folder / "cache"),
        progress=Silent(),
    )


def predicted(report: Report) -> str:
    """Return the error type that is named first; nothing where all is well."""
    of_the_handler = [finding for finding in report.findings if finding.rule != "D4"]
    errors = [finding for finding in of_the_handler if finding.severity == "error"]
    return errors[0].error_type if errors else STARTS


@pytest.mark.parametrize("client", [3, 4])
@pytest.mark.parametrize("tree", mostly_proofs(TREES), ids=lambda tree: tree.name)
def test_check_names_what_the_client_reports(tree: Tree, client: int, tmp_path: Path) -> None:
    report = report_of(tmp_path, tree, client)

    wanted = reported_by(tree, client, 22)
    assert predicted(report) == wanted, report.findings
    if wanted == STARTS:
        assert [finding for finding in report.findings if finding.rule[0] == "E"] == []


@pytest.mark.parametrize(("name", "client", "node"), OTHERWISE)
def test_check_knows_what_is_different_with_another_node(
    name: str, client: int, node: int, tmp_path: Path
) -> None:
    tree = next(tree for tree in TREES if tree.name == name)

    report = report_of(tmp_path, tree, client, (node, 20))

    assert predicted(report) == reported_by(tree, client, node), report.findings
