"""The action that checks an image in anybody's workflow: what it is made of, and its lines, run."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cdk_context import ROOT
from tests.support.imagecheck.cases import FOREIGN, HOST_CPU, PROGRAM, run, scratch

TEXT = (ROOT / "action.yml").read_text(encoding="utf-8")
ACTION: dict[str, Any] = yaml.safe_load(TEXT)
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")

Use = Callable[..., tuple[int, str]]


def test_every_action_that_it_uses_is_pinned() -> None:
    used = re.findall(r"uses: (.*)$", TEXT, re.MULTILINE)

    assert used
    assert all(PINNED.fullmatch(one) for one in used)


def test_no_input_is_put_into_a_script() -> None:
    """A workflow may take an image's name from a stranger; in a variable it is only a text."""
    scripts = [step["run"] for step in STEPS if "run" in step]

    assert scripts
    assert not any("${{" in script for script in scripts)


def test_every_input_is_used_and_every_one_that_is_used_is_there() -> None:
    assert set(re.findall(r"inputs\.([a-z-]+)", TEXT)) == set(ACTION["inputs"])


def test_what_it_installs_is_pinned_by_hash() -> None:
    pinned = (ROOT / "requirements-action.txt").read_text(encoding="utf-8")
    (backend,) = re.findall(r'requires = \["(.*)"\]', (ROOT / "pyproject.toml").read_text())

    assert f"\n{backend} " in pinned
    assert "--require-hashes" in TEXT
    assert all("--hash=sha256:" in part for part in re.split(r"\n(?=[a-z])", pinned)[1:])


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """RUNNER_TEMP, with all that the first script installs."""
    folder = tmp_path_factory.mktemp("runner")
    _run(_step("Install"), folder, {})
    return folder


@pytest.fixture
def use(temp: Path) -> Use:
    """Run the second script with inputs; returns its exit status and what it prints."""

    def call(**inputs: str) -> tuple[int, str]:
        done = _run(_step("Check"), temp, inputs)
        return done.returncode, done.stdout

    return call


@pytest.mark.proof
@pytest.mark.xdist_group("action")
def test_it_checks_images_in_a_workflow(use: Use, temp: Path, tmp_path: Path) -> None:
    good = scratch(run(PROGRAM))(tmp_path / "good").reference
    bad = scratch(run(FOREIGN))(tmp_path / "bad").reference

    status, out = use(image=good, architecture=HOST_CPU)
    assert (status, "no problems found" in out) == (0, True)

    status, out = use(image=bad, architecture=HOST_CPU, dockerfile="lambda_src/Dockerfile")
    assert status == 1
    assert "::error file=lambda_src/Dockerfile,line=1,title=C2 " in out
    output = (temp / "output").read_text().splitlines()[-1]
    log = json.loads(Path(output.removeprefix("sarif-file=")).read_bytes())
    assert log["runs"][0]["results"][0]["ruleId"] == "C2"

    status, out = use(image=bad, architecture=HOST_CPU, ignore='C6=never\nC2=a $(test) "image"\n')
    assert (status, '::notice title=C2 ignored%3A a $(test) "image"::' in out) == (0, True)

    assert use(image="oci:/nowhere", architecture=HOST_CPU)[0] == 2


def _step(name: str) -> dict[str, Any]:
    (found,) = (step for step in STEPS if step.get("name", "").startswith(name))
    return found


def _run(
    step: Mapping[str, Any], temp: Path, inputs: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    known = {f"inputs.{name}": one.get("default", "") for name, one in ACTION["inputs"].items()}
    known |= {f"inputs.{name}": value for name, value in inputs.items()}
    known |= {"github.action_path": f"{ROOT}", "steps.python.outputs.python-path": sys.executable}
    given = {
        name: EXPRESSION.sub(lambda found: known[found[1]], text)
        for name, text in step["env"].items()
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    runner = {"RUNNER_TEMP": f"{temp}", "GITHUB_OUTPUT": f"{temp}/output"}
    # https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax: shell.
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={**clean, **runner, **given, "XDG_CACHE_HOME": f"{temp}/cache"},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert "Traceback" not in done.stderr
    return done
