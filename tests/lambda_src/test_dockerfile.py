"""The recipe of the image: what it builds on, and what it starts."""

import importlib
import json
import re
from typing import Any

from constructs.image_digest import ImageDigest

from config.function_libraries import PYTHON_VERSION
from lambda_runtime.variables import CREDENTIALS
from release.build.base_table import read_base_table
from release.build.context import DEPENDENCIES
from tests.support.cdk_context import CDK_JSON, ROOT

TEXT = (ROOT / "lambda_src" / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [line for line in TEXT.splitlines() if line and line[0].isalpha()]


BASES = read_base_table(ROOT / "lambda_src" / "Dockerfile")


def instruction(name: str) -> str:
    (found,) = [line for line in INSTRUCTIONS if line.startswith(f"{name} ")]
    return found.removeprefix(f"{name} ")


def default_of(argument: str) -> str:
    (found,) = re.findall(rf"^ARG {argument}=(\S+)$", TEXT, re.MULTILINE)
    return str(found)


def test_the_bases_are_named_by_digest_and_can_be_named_anew() -> None:
    assert instruction("FROM") == "${BASE}"
    for base in BASES.values():
        ImageDigest(base.partition("@")[2])


def test_a_base_is_for_its_cpu_and_the_default_for_that_of_every_stage() -> None:
    stages: dict[str, Any] = CDK_JSON["context"]["stages"]
    (architecture,) = {stage["architecture"] for stage in stages.values()}
    for cpu, base in BASES.items():
        assert f"-{cpu}@" in base
    assert default_of("BASE") == f"${{BASE_{architecture.upper()}}}"


def test_the_libraries_are_for_the_python_of_the_bases() -> None:
    assert default_of("PYTHON_VERSION") == PYTHON_VERSION
    for base in BASES.values():
        assert f"/python:{PYTHON_VERSION}-" in base


def test_what_it_starts_can_be_loaded_from_what_it_copies(
    monkeypatch: Any, closed_port: int
) -> None:
    monkeypatch.setenv("ROOMS_TABLE", "rooms")
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port}")
    (handler,) = json.loads(instruction("CMD"))
    module, _, function = handler.rpartition(".")
    assert f"COPY {module.partition('.')[0]}/ " in TEXT
    assert callable(getattr(importlib.import_module(f"lambda_src.{module}"), function))


def test_every_library_is_locked_by_hash_and_comes_as_files() -> None:
    locked = (ROOT / "lambda_src" / "requirements.txt").read_text(encoding="utf-8")
    assert re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE) == ["msgspec"]
    assert "--hash=sha256:" in locked
    assert f"COPY {DEPENDENCIES}/ ./" in TEXT
    assert "pip" not in " ".join(INSTRUCTIONS)
