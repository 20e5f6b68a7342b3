"""The images that a Dockerfile builds on and copies from."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from imagecheck.directives import escape_of, syntax_of
from imagecheck.image.digest import is_digest
from imagecheck.image.errors import ImageReadError

_ARG = re.compile(r"(?P<name>\w+)(?:=(?P<value>\"[^\"]*\"|'[^']*'|\S*))?")
_FROM = re.compile(r"FROM(?:\s+--\S+)*\s+(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?", re.IGNORECASE)
_FLAGS = re.compile(r"(?P<instruction>COPY|ADD|RUN)(?P<flags>(?:\s+--\S+)*)", re.IGNORECASE)
_FROM_FLAG = re.compile(r"--(?:from=|mount=(?:\S*,)?from=)(?P<image>[^\s,]+)", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(?P<end>\w+)\1")
_VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>\w+)(?::?(?P<how>[-+?])(?P<word>[^}]*))?\}|(?P<plain>\w+))"
)


@dataclass(frozen=True)
class ImageUse:
    """An image of a registry that a Dockerfile names."""

    line: int
    instruction: str
    """The part of it that names the image; the rest may hold secrets."""
    image: str
    """With its build arguments put in."""

    @property
    def digest(self) -> str | None:
        """The digest that it is pinned by; None when a tag can move it."""
        _, at, digest = self.image.rpartition("@")
        return digest if at and is_digest(digest) else None


def images_of(
    dockerfile: Path, build_arguments: Mapping[str, str] | None = None
) -> tuple[ImageUse, ...]:
    """Return every image that the build takes from a registry, in their order.

    ``scratch`` and earlier stages are none. ``build_arguments`` are those of the command line; the
    others have their defaults. Raises ImageReadError when the file cannot be read.

    https://docs.docker.com/reference/dockerfile/
    """
    return _read(dockerfile, build_arguments or {})[0]


def base_of(dockerfile: Path, build_arguments: Mapping[str, str] | None = None) -> ImageUse | None:
    """Return what the image of the last stage is built on; None: on nothing.

    Raises as ``images_of`` does.
    """
    return _read(dockerfile, build_arguments or {})[1]


def arguments_of(dockerfile: Path) -> dict[str, str]:
    """Return the build arguments with a default that stand before the first FROM.

    Raises as ``images_of`` does.
    """
    return _read(dockerfile, {})[2]


def frontend_of(
    dockerfile: Path, build_arguments: Mapping[str, str] | None = None
) -> ImageUse | None:
    """Return the image whose program reads the file; None where it is the builder's own.

    ``BUILDKIT_SYNTAX`` on the command line counts before ``# syntax=``. Docker takes it; buildah
    does not. Raises as ``images_of`` does.

    https://docs.docker.com/build/buildkit/frontend/
    """
    found = syntax_of(_text_of(dockerfile))
    given = (build_arguments or {}).get("BUILDKIT_SYNTAX", "").strip()
    if given:
        line = found.line if found else 1
        return ImageUse(line, "--build-arg BUILDKIT_SYNTAX", given.partition(" ")[0])
    return ImageUse(found.line, "# syntax", found.image) if found else None


def _text_of(dockerfile: Path) -> str:
    if dockerfile.is_fifo():
        raise ImageReadError(f"{dockerfile} is a pipe, not a file")
    try:
        return dockerfile.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ImageReadError(f"{dockerfile}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ImageReadError(f"{dockerfile} is not text in UTF-8") from error


def _read(
    dockerfile: Path, build_arguments: Mapping[str, str]
) -> tuple[tuple[ImageUse, ...], ImageUse | None, dict[str, str]]:
    arguments: dict[str, str] = {}
    first: dict[str, str] | None = None
    stages = ["scratch"]
    bases: list[ImageUse | None] = [None]
    uses = []
    for number, line in _instructions(_text_of(dockerfile)):
        if re.match(r"ARG\s", line, re.IGNORECASE):
            _declare(line, arguments, build_arguments)
            continue
        stage = _FROM.fullmatch(line)
        if stage and first is None:
            first = dict(arguments)
        for instruction, image in [(line, stage["image"])] if stage else _copied(line):
            name = _name(image, arguments, stages)
            is_stage = name.lower() in stages or (
                not stage and name.isdecimal() and int(name) < len(stages) - 1
            )
            if not is_stage:
                uses.append(ImageUse(number, instruction, name))
            if stage:
                bases.append(bases[stages.index(name.lower())] if is_stage else uses[-1])
        if stage:
            stages.append((stage["stage"] or "").lower())
    return tuple(uses), bases[-1], arguments if first is None else first


def _declare(line: str, arguments: dict[str, str], build_arguments: Mapping[str, str]) -> None:
    for arg in _ARG.finditer(line[3:]):
        given, default = build_arguments.get(arg["name"]), arg["value"]
        if given is not None:
            arguments[arg["name"]] = given.strip("\"'")
        elif default is not None:
            # A default may name earlier arguments.
            arguments[arg["name"]] = _filled(default, arguments)


def _copied(line: str) -> Iterator[tuple[str, str]]:
    """Find the images that flags of an instruction name."""
    if found := _FLAGS.match(line):
        for flag in _FROM_FLAG.finditer(found["flags"]):
            yield f"{found['instruction']} {flag[0]}", flag["image"]


def _instructions(text: str) -> list[tuple[int, str]]:
    """Join continued lines, and leave out here-documents; the number is that of the first line."""
    found: list[tuple[int, str]] = []
    escape = escape_of(text)
    # One that is escaped itself continues nothing.
    continues = re.compile(rf"(?<!{re.escape(escape)}){re.escape(escape)}[ \t]*$")
    start, joined = 0, ""
    ends: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if ends:
            ends = ends[1:] if line.strip("\t") == ends[0] else ends
            continue
        if line.lstrip().startswith("#") or (joined and not line.strip()):
            continue
        start = start if joined else number
        joined += continues.sub("", line if joined else line.lstrip())
        if not continues.search(line):
            found.append((start, " ".join(joined.split())))
            if re.match(r"(?:COPY|ADD|RUN)\s", joined, re.IGNORECASE):
                ends = [heredoc["end"] for heredoc in _HEREDOC.finditer(joined)]
            joined = ""
    return [(number, line) for number, line in [*found, (start, " ".join(joined.split()))] if line]


def _name(image: str, arguments: dict[str, str], stages: list[str]) -> str:
    """Put in the arguments, and those of the builder where that makes the name of a stage."""
    for cpu in ("amd64", "arm64"):
        platform = {"TARGETARCH": cpu, "BUILDARCH": cpu, "TARGETOS": "linux"}
        name = _filled(image, platform | arguments)
        if name.lower() in stages:
            return name
    return _filled(image, arguments)


def _filled(image: str, arguments: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        given = arguments.get(found["braced"] or found["plain"], "")
        if found["how"] == "+":
            return found["word"] if given else ""
        return given or (found["word"] if found["how"] == "-" else "") or found[0]

    return _VARIABLE.sub(value, image.strip("\"'"))
