"""The function of a check, read from its options."""

import shlex
from dataclasses import replace
from typing import Final

import msgspec

from imagecheck.errors import UsageError
from imagecheck.function import (
    DEFAULT_ARCHITECTURE,
    IMAGE_ARCHITECTURES,
    Architecture,
    Function,
    split_variable,
)
from imagecheck.image.image_reader import ImageReader, Progress
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.source import ImageSource
from imagecheck.options import CheckOptions
from imagecheck.template import read_function

_LAMBDA_NAMES: Final[dict[str, Architecture]] = {
    "x86_64": "x86_64",
    "x86-64": "x86_64",
    "x64": "x86_64",
    "amd64": "x86_64",
    "arm64": "arm64",
    "aarch64": "arm64",
    "arm64/v8": "arm64",
}
"""A CPU as Lambda, Docker, Go and the kernel call it."""


def function_from_options(options: CheckOptions) -> Function:
    """Return the function of a template, or one of the CPU that is named; else it is assumed.

    Raises UsageError and ImageReadError.
    """
    architecture = parse_architecture(options.architecture) if options.architecture else None
    if options.template is not None:
        declared = read_function(options.template, options.function)
        if architecture not in (None, declared.architecture):
            raise UsageError(
                f"the function in {options.template} is for {declared.architecture},"
                f" not {architecture}",
                hint="leave --architecture out",
            )
        return declared
    if options.function:
        raise UsageError(
            "--function needs a template", hint="add --template FILE, or leave --function out"
        )
    if architecture is None:
        return Function(DEFAULT_ARCHITECTURE, is_assumed=True)
    return Function(architecture)


def with_overrides(function: Function, options: CheckOptions) -> Function:
    """Put what the options say over what the function has. Raises UsageError."""
    if options.workdir == "":
        raise UsageError("--workdir is empty", hint="leave it out to take the image's")
    return replace(
        function,
        entrypoint=_words(options.entrypoint, "--entrypoint") or function.entrypoint,
        command=_words(options.command, "--command") or function.command,
        workdir=options.workdir or function.workdir,
        environment={**function.environment, **dict(map(_variable, options.env or []))},
    )


def parse_architecture(text: str) -> Architecture:
    """Read the name of a CPU, or of a platform as Docker writes it. Raises UsageError."""
    name = text.strip().lower()
    system, slash, rest = name.partition("/")
    if slash and system in ("linux", "windows", "darwin"):
        if system != "linux":
            raise UsageError(f"--architecture {text}: Lambda runs Linux images only")
        name = rest
    if name not in _LAMBDA_NAMES:
        raise UsageError(
            f"--architecture {text} is not one of Lambda's",
            hint="Lambda has x86_64 (Docker's linux/amd64) and arm64 (linux/arm64)",
        )
    return _LAMBDA_NAMES[name]


def own_architecture(source: ImageSource, progress: Progress) -> Architecture:
    """Return the CPU that an image says it is for; Lambda's default where it has none of ours."""
    names = {image: name for name, image in IMAGE_ARCHITECTURES.items()}
    reader = ImageReader(source, LayerCache(None), progress)
    for architecture in names:
        image = reader.read_documents(architecture)
        if image.config:
            found = names.get(image.config.architecture)
            return parse_architecture(found) if found else DEFAULT_ARCHITECTURE
    return DEFAULT_ARCHITECTURE


def _words(text: str | None, option: str) -> tuple[str, ...] | None:
    """Read a command: a JSON list, or words as in a shell."""
    if text is None:
        return None
    try:
        is_json = text.startswith("[")
        words = msgspec.json.decode(text, type=list[str]) if is_json else shlex.split(text)
    except (ValueError, msgspec.DecodeError) as error:
        raise UsageError(f"{option}: {error}") from error
    if not words:
        raise UsageError(f"{option} is empty", hint="leave it out to take the image's")
    return tuple(words)


def _variable(text: str) -> tuple[str, str]:
    if "=" not in text or text.startswith("="):
        # What stands there may be a secret, so it is not repeated.
        raise UsageError("--env is not of the form NAME=value")
    return split_variable(text)
