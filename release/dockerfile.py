"""The images that a Dockerfile builds on and copies from."""

import re
from dataclasses import dataclass
from pathlib import Path

from release.image.errors import CannotLookError
from release.image.reference import DIGEST

_ARG = re.compile(r"ARG\s+(?P<name>\w+)=(?P<value>\S+)", re.IGNORECASE)
_FROM = re.compile(
    r"FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?\s*", re.IGNORECASE
)
_COPY = re.compile(
    r"(?:COPY|ADD|RUN)\s+.*?--(?:from|mount=\S*?from)=(?P<image>[^\s,]+)", re.IGNORECASE
)
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::-(?P<default>[^}]*))?\}|(?P<plain>\w+))")


@dataclass(frozen=True)
class ImageUse:
    """An image of a registry that a Dockerfile names."""

    line: int
    instruction: str
    image: str
    """With the defaults of its build arguments put in."""

    @property
    def digest(self) -> str | None:
        """The digest that it is pinned by; None when a tag can move it."""
        _, at, digest = self.image.rpartition("@")
        return digest if at and DIGEST.fullmatch(digest) else None


def images_of(dockerfile: Path) -> tuple[ImageUse, ...]:
    """Return every image that the build takes from a registry, in their order.

    ``scratch`` and earlier stages are none. Raises CannotLookError when the file cannot be read.

    https://docs.docker.com/reference/dockerfile/
    """
    try:
        text = dockerfile.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotLookError(f"{dockerfile} cannot be read: {error}") from None
    arguments: dict[str, str] = {}
    stages: set[str] = {"scratch"}
    uses = []
    number = 0
    count = 0
    for number, line in _instructions(text):
        if argument := _ARG.fullmatch(line):
            arguments[argument["name"]] = argument["value"].strip("\"'")
        elif (match := _FROM.fullmatch(line)) or (match := _COPY.match(line)):
            image = _filled(match["image"], arguments)
            is_stage = image.lower() in stages or (image.isdecimal() and int(image) < count)
            if not is_stage:
                uses.append(ImageUse(number, line, image))
            if match.re is _FROM:
                count += 1
                stages.add((match["stage"] or "").lower())
    return tuple(uses)


def _instructions(text: str) -> list[tuple[int, str]]:
    """Join continued lines; the number is that of the first."""
    found: list[tuple[int, str]] = []
    start, joined = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#") or (joined and not line.strip()):
            continue
        start = start if joined else number
        joined += line.strip().removesuffix("\\") + " "
        if not line.rstrip().endswith("\\"):
            found.append((start, joined.strip()))
            joined = ""
    return [(number, line) for number, line in [*found, (start, joined.strip())] if line]


def _filled(image: str, arguments: dict[str, str]) -> str:
    return _VARIABLE.sub(
        lambda m: arguments.get(m["braced"] or m["plain"], m["default"] or m[0]), image.strip("\"'")
    )
