"""The table of what AWS's clients report, held against real ones on real versions of Node."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.imagecheck.node_runtime import (
    NODES,
    command_of,
    write_members,
    write_runtime,
)
from tests.support.imagecheck.node_trees import CJS, TREES, Tree, both, reported_by
from tests.support.imagecheck.starting import start_folder

pytestmark = pytest.mark.proof

THREADS = 2


@pytest.fixture(params=[(node, client) for node in NODES for client in (3, 4)], ids=str)
def runtime(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str, int]]:
    node, client = request.param
    yield write_runtime(tmp_path / "rootfs", node, client), node, client
    shutil.rmtree(tmp_path / "rootfs")


def test_the_table_is_what_the_clients_report(
    runtime: tuple[Path, str, int], tmp_path: Path
) -> None:
    rootfs, node, client = runtime

    def reported(tree: Tree) -> str:
        folder = tmp_path / tree.name
        # A root directory of its own, whose large files are shared.
        shutil.copytree(rootfs, folder, symlinks=True, copy_function=_link)
        write_members(folder, tree.members())
        started = start_folder(
            folder,
            command_of(tree.handler),
            workdir="/task",
            env={
                "PATH": "/usr/local/bin",
                "LAMBDA_TASK_ROOT": "/task",
                "_HANDLER": tree.handler,
            },
            timeout=30,
        )
        shutil.rmtree(folder)
        return started.error_type

    with ThreadPoolExecutor(THREADS) as threads:
        found = dict(zip(TREES, threads.map(reported, TREES), strict=True))

    wanted = {tree: reported_by(tree, client, int(node)) for tree in TREES}
    wrong = {
        tree.name: (said, wanted[tree]) for tree, said in found.items() if said != wanted[tree]
    }
    assert wrong == {}


def test_a_client_without_its_native_part_ends(runtime: tuple[Path, str, int]) -> None:
    """npm builds it while it installs the client, unless it is told to run no scripts."""
    rootfs, _, _ = runtime
    (native,) = rootfs.rglob("rapid-client.node")
    native.unlink()
    write_members(rootfs, both("good", "", {"index.js": CJS}).members())

    started = start_folder(
        rootfs,
        ["/usr/local/bin/node", "/client/node_modules/.bin/aws-lambda-ric", "index.handler"],
        workdir="/task",
        env={"PATH": "/usr/local/bin", "LAMBDA_TASK_ROOT": "/task", "_HANDLER": "index.handler"},
        timeout=30,
    )

    assert (started.error_type, started.exit_status) == ("Runtime.ExitError", 1)


def _link(source: str, target: str) -> str:
    Path(target).hardlink_to(source)
    return target
