"""The recipe of the image: what it builds on, and what it starts."""

import importlib
import json
import re
from typing import Any

from constructs.image_digest import ImageDigest

from tests.cdk_context import CDK_JSON, ROOT

TEXT = (ROOT / "lambda_src" / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [line for line in TEXT.splitlines() if line and line[0].isalpha()]


def instruction(name: str) -> str:
    (found,) = [line for line in INSTRUCTIONS if line.startswith(f"{name} ")]
    return found.removeprefix(f"{name} ")


def test_the_base_is_named_by_digest_and_can_be_named_anew() -> None:
    assert instruction("FROM") == "${BASE}"
    name, _, base = instruction("ARG").partition("=")
    assert name == "BASE"
    ImageDigest(base.partition("@")[2])


def test_the_base_is_for_the_architecture_of_every_stage() -> None:
    stages: dict[str, Any] = CDK_JSON["context"]["stages"]
    (architecture,) = {stage["architecture"] for stage in stages.values()}
    assert f"-{architecture}@" in instruction("ARG")


def test_what_it_starts_can_be_loaded_from_what_it_copies(monkeypatch: Any) -> None:
    monkeypatch.setenv("ROOMS_TABLE", "rooms")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    (handler,) = json.loads(instruction("CMD"))
    module, _, function = handler.rpartition(".")
    assert f"COPY {module.partition('.')[0]}/ " in TEXT
    assert callable(getattr(importlib.import_module(f"lambda_src.{module}"), function))


def test_every_package_it_installs_is_locked_by_hash() -> None:
    assert "--require-hashes" in TEXT
    locked = (ROOT / "lambda_src" / "requirements.txt").read_text(encoding="utf-8")
    assert re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE) == ["msgspec"]
    assert "--hash=sha256:" in locked
