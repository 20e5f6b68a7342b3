"""CDK's own comparison of templates: ``@aws-cdk/cloudformation-diff``, which ``cdk diff`` uses."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from config.cdk_cli import cdk_environment
from imagecheck.errors import FailedError

Impact = Literal[
    "WILL_UPDATE",
    "WILL_CREATE",
    "WILL_REPLACE",
    "MAY_REPLACE",
    "WILL_DESTROY",
    "WILL_ORPHAN",
    "WILL_IMPORT",
    "NO_CHANGE",
]
"""CDK's ``ResourceImpact``. A property that CDK's data does not know has ``NO_CHANGE``."""


class ResourceDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a resource, and the impact of each of its properties that differ."""

    impact: Impact
    properties: dict[str, Impact]


class StatementDiff(msgspec.Struct, frozen=True, kw_only=True):
    """A policy statement that is there on one side only. What is negated begins with "all but"."""

    added: bool
    effect: Literal["Allow", "Deny", "Unknown"]
    principals: tuple[str, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: str


class ManagedPolicyDiff(msgspec.Struct, frozen=True, kw_only=True):
    """A managed policy that an identity gets or loses."""

    added: bool
    identity: str
    policy: str


class RuleDiff(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of a security group that is there on one side only."""

    added: bool
    group: str
    protocol: str
    peer: str


class TemplateDiff(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How two templates differ. Resources are by logical id."""

    resources: dict[str, ResourceDiff]
    statements: tuple[StatementDiff, ...]
    managed_policies: tuple[ManagedPolicyDiff, ...]
    identity_center: bool
    inbound_rules: tuple[RuleDiff, ...]
    outbound_rules: tuple[RuleDiff, ...]


Template = Mapping[str, Any]


def compare_templates(pairs: Sequence[tuple[Template, Template]]) -> list[TemplateDiff | None]:
    """Compare templates, old and new; None where CDK cannot make sense of one.

    One process compares all, since CDK's data on resource types takes most of a second to load.
    Raises FailedError where Node or the package is not installed, or it takes too long.
    """
    if not pairs:
        return []
    status, said, complaint = _run_node(json.dumps(pairs).encode())
    if b"ERR_MODULE_NOT_FOUND" in complaint:
        raise FailedError("@aws-cdk/cloudformation-diff is not installed", hint="make setup")
    try:
        answers = msgspec.json.decode(said, type=list[Any])
    except msgspec.DecodeError:
        # What Node said may quote a template, which may be a stranger's.
        raise FailedError(
            f"CDK's comparison of templates ended with status {status} and no answer"
        ) from None
    if len(answers) != len(pairs):
        raise FailedError("CDK's comparison of templates left some out")
    return [_read(answer) for answer in answers]


def _run_node(given: bytes) -> tuple[int, bytes, bytes]:
    try:
        node = subprocess.Popen(  # noqa: S603  (a program of ours)
            ["node", str(_PROGRAM)],  # noqa: S607  (that of the PATH made here)
            env=cdk_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Its own group: the node of a virtual environment is a program that starts Node.
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise FailedError("node is not installed", hint="make setup") from error
    try:
        said, complaint = node.communicate(given, timeout=_TIMEOUT_SECONDS)
    except BaseException as error:
        os.killpg(node.pid, signal.SIGKILL)
        node.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise FailedError(
                f"comparing the templates takes more than {_TIMEOUT_SECONDS} s",
                hint="check that the snapshots are templates that CDK has written",
            ) from error
        raise
    return node.returncode, said, complaint


def _read(answer: Any) -> TemplateDiff | None:
    try:
        return msgspec.convert(answer, TemplateDiff | None)
    except msgspec.ValidationError:
        return None


_PROGRAM: Final = Path(__file__).with_name("template_diff.mjs")
_TIMEOUT_SECONDS: Final = 60
