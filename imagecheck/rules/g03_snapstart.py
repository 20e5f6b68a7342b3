"""SnapStart is asked for, and the image or the function does not allow it."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule
from imagecheck.start.aws_base import AWS_BOOTSTRAP, AWS_ENTRYPOINT

if TYPE_CHECKING:
    from imagecheck.subject import Subject

LABEL: Final = "com.amazonaws.lambda.feature.snapstart"
_MAX_STORAGE_MB = 512
_MIN_PYTHON = 12
_HOOKS = "/awslambdaric/lambda_runtime_hooks_runner.py"
_PYTHON = re.compile(r"python3\.(\d+)")


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at the function's SnapStart, its storage, and the label of the image."""
    declared = subject.function.declared
    config = subject.image.config
    if declared is None or config is None:
        return
    snap_start = declared.properties.get("SnapStart")
    if not isinstance(snap_start, dict) or snap_start.get("ApplyOn") != "PublishedVersions":
        return
    storage = declared.properties.get("EphemeralStorage")
    size = storage.get("Size") if isinstance(storage, dict) else None
    if isinstance(size, int | float) and size > _MAX_STORAGE_MB:
        yield Problem(
            f"{declared.logical_id} has SnapStart and {size:g} MB of EphemeralStorage; with"
            f" SnapStart it may be {_MAX_STORAGE_MB}",
            f"remove EphemeralStorage or SnapStart from {declared.logical_id}",
        )
    labels = (config.config.labels if config.config else None) or {}
    if labels.get(LABEL) == "Allow" or not subject.files or _has_hooks(subject):
        return
    handler = subject.judgement.handler
    is_known = handler is not None and handler.language in ("node", "ruby")
    yield Problem(
        f"{declared.logical_id} has SnapStart, and the image has no label {LABEL}=Allow;"
        " publishing a version fails unless the runtime client of the image asks Lambda when it is"
        " restored",
        f"LABEL {LABEL}=Allow",
        severity="error" if is_known else "warning",
        error_type="",
    )


def _has_hooks(subject: "Subject") -> bool:
    """Whether the runtime is known to take part in SnapStart: AWS's own, or its Python client."""
    files = subject.files
    assert files  # noqa: S101  (asked by the caller)
    if files.find(AWS_ENTRYPOINT) and files.find(AWS_BOOTSTRAP):
        names = tuple(((folder := files.find("/var/lang/bin")) and folder.children) or ())
        minors = [int(match[1]) for name in names if (match := _PYTHON.fullmatch(name))]
        return max(minors, default=0) >= _MIN_PYTHON or bool({"java", "dotnet"} & set(names))
    handler = subject.judgement.handler
    if handler is None or handler.language != "python":
        return handler is not None and handler.language == "java"
    return any(node.path.endswith(_HOOKS) for node in files.below("/"))


RULE = Rule(
    id="G3",
    title="The image or the function does not allow SnapStart",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=f"{CREATE}, or a version is published",
    why=(
        "With SnapStart, Lambda starts the function when a version is published and keeps its"
        " memory. AWS's base images for Java, Python from 3.12 and .NET support that. Any other"
        " image has to allow it with a label, or its runtime client has to ask Lambda when it"
        " was restored; otherwise the version is not published. Ephemeral storage above 512 MB"
        " is not possible with SnapStart."
    ),
    fix=f"LABEL {LABEL}=Allow, and no EphemeralStorage above 512 MB.",
    source="https://github.com/serverless/serverless/issues/13834",
    bad="""\
FROM node:22-slim
# the template has SnapStart: {ApplyOn: PublishedVersions}
""",
    good="""\
FROM node:22-slim
LABEL com.amazonaws.lambda.feature.snapstart=Allow
""",
    check=check,
)
