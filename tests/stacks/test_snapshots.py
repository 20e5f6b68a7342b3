"""Every template as text, so that a review shows what a change does to what is deployed."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from config.names import GITHUB_STACK
from tests.support.cdk_context import GITHUB, STAGES, context
from tests.support.templates import guard_template, template, template_of


@pytest.fixture
def json_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


def mask_assets(template: Mapping[str, Any]) -> Any:
    """Take out the hashes of files that CDK uploads: they change with every byte in them."""
    text = re.sub(r"\b[0-9a-f]{64}(?=\.(zip|json)\b)", "<asset hash>", json.dumps(template))
    return json.loads(text)


def mask_versions(template: Mapping[str, Any]) -> Any:
    """Take out of a version's logical id the hash of its code, which in a zip is an asset's."""
    text = re.sub(r"(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}", r"\1<hash>", json.dumps(template))
    return json.loads(text)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("stack", ["registry", "rooms", "web", "delivery"])
def test_template(stage: str, stack: str, json_snapshot: SnapshotAssertion) -> None:
    github = {"github": GITHUB} if stack == "delivery" else {}
    assert mask_assets(template_of(stack, context(stage=stage, **github))) == json_snapshot


@pytest.mark.parametrize("stage", ["local", "prd"])
def test_guard_template(stage: str, json_snapshot: SnapshotAssertion) -> None:
    assert guard_template(stage) == json_snapshot


@pytest.mark.parametrize("stage", STAGES)
def test_zip_template(stage: str, json_snapshot: SnapshotAssertion) -> None:
    found = template_of("rooms", context(stage=stage, packaging="zip"))
    assert mask_assets(mask_versions(found)) == json_snapshot


def test_github_template(json_snapshot: SnapshotAssertion) -> None:
    assert template(GITHUB_STACK, context(github=GITHUB)) == json_snapshot


def test_the_mask_hides_assets_and_shows_digests() -> None:
    asset, digest = "a" * 64 + ".zip", "sha256:" + "a" * 64
    assert mask_assets({"key": asset, "image": digest}) == {
        "key": "<asset hash>.zip",
        "image": digest,
    }
