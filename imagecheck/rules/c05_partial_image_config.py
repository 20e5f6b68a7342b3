"""ImageConfig in the template gives only a part, or an empty entrypoint."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_ALL = ("EntryPoint", "Command", "WorkingDirectory")
_EMPTY: tuple[object, ...] = ([], [""], "")


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at what the template has in ImageConfig."""
    declared = subject.function.declared
    config = declared.properties.get("ImageConfig") if declared else None
    if not isinstance(config, dict) or not config:
        return
    if config.get("EntryPoint") in _EMPTY:
        yield Problem(
            "ImageConfig in the template has an empty EntryPoint, which replaces the image's",
            "leave EntryPoint out, or name the program in it",
            severity="error",
        )
        return
    missing = [name for name in _ALL if not config.get(name)]
    if missing:
        yield Problem(
            f"ImageConfig in the template has no {' and no '.join(missing)}; that is usual and"
            " works, but AWS asks for all three where the start fails"
        )


RULE = Rule(
    id="C5",
    title="ImageConfig is incomplete",
    severity="warning",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "A value in ImageConfig replaces the image's own. An empty EntryPoint does so too, and"
        " then nothing can be started. Command alone is what CDK's `cmd` and SAM write for"
        " several functions of one image, and it works; AWS's troubleshooting guide still"
        " advises to set all three or none."
    ),
    fix="Leave ImageConfig out, or give EntryPoint, Command and WorkingDirectory.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-images.html",
    bad="""\
ImageConfig:
  EntryPoint: [""]
  Command: ["app.handler"]
""",
    good="""\
ImageConfig:
  EntryPoint: ["/lambda-entrypoint.sh"]
  Command: ["app.handler"]
  WorkingDirectory: /var/task
""",
    check=check,
)
