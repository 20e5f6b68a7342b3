"""Image functions in a synthesized CloudFormation template."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from imagecheck.function import (
    DEFAULT_ARCHITECTURE,
    IMAGE_ARCHITECTURES,
    Architecture,
    Declared,
    Function,
    Limits,
)
from imagecheck.image.errors import ImageReadError

_FUNCTION = "AWS::Lambda::Function"
_TABLE = "AWS::DynamoDB::Table"
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html: what is not declared.
_MEMORY_MB, _TIMEOUT_SECONDS = 128, 3
_SYNTH = "`cdk synth` writes templates to cdk.out/*.template.json"


def read_function(template: Path, logical_id: str | None = None) -> Function:
    """Read a function of a template (JSON): the one named, or the only one that runs an image.

    Raises ImageReadError when there is no such file, function or template.
    """
    resources = _resources(template)
    if logical_id is None:
        logical_id = _only(template, resources)
    resource = resources.get(logical_id)
    if resource is None or resource.get("Type") != _FUNCTION:
        names = ", ".join(k for k, v in resources.items() if v.get("Type") == _FUNCTION) or "none"
        raise ImageReadError(
            f"{template} has no function {logical_id!r}", hint=f"its functions are {names}"
        )
    properties = _mapping(resource.get("Properties"))
    code = _mapping(properties.get("Code"))
    variables = _mapping(_mapping(properties.get("Environment")).get("Variables"))
    try:
        config = _mapping(_known(properties.get("ImageConfig"), "ImageConfig"))
        workdir = config.get("WorkingDirectory")
        return Function(
            architecture=_architecture(properties.get("Architectures")),
            entrypoint=_texts(config.get("EntryPoint")),
            command=_texts(config.get("Command")),
            workdir=_text(workdir) if workdir else None,
            environment={name: _text(value) for name, value in variables.items()},
            declared=Declared(logical_id, properties, _text(code.get("ImageUri", ""))),
        )
    except _UnknownError as error:
        raise ImageReadError(f"{template}: {logical_id} has {error}") from error


def limits_of(declared: Declared) -> Limits:
    """Return what a function may use. Raises ImageReadError when only CloudFormation knows."""
    properties = declared.properties
    memory, timeout = (
        properties.get(name, default)
        for name, default in (("MemorySize", _MEMORY_MB), ("Timeout", _TIMEOUT_SECONDS))
    )
    try:
        return Limits(memory_mb=int(memory), timeout_seconds=int(timeout))
    except (TypeError, ValueError) as error:
        raise ImageReadError(
            f"{declared.logical_id} has MemorySize {_text(memory)} and Timeout {_text(timeout)},"
            " known only when it is deployed"
        ) from error


def read_tables(template: Path) -> dict[str, Mapping[str, Any]]:
    """Return the properties of each DynamoDB table, by logical id. Raises ImageReadError."""
    return {
        logical_id: _mapping(resource.get("Properties"))
        for logical_id, resource in _resources(template).items()
        if resource.get("Type") == _TABLE
    }


class _UnknownError(Exception):
    """Only CloudFormation knows what it is, or it makes no sense."""


def _resources(template: Path) -> dict[str, dict[str, Any]]:
    try:
        document = msgspec.json.decode(template.read_bytes())
        resources: dict[str, dict[str, Any]] = msgspec.convert(
            document["Resources"], dict[str, dict[str, Any]]
        )
    except OSError as error:
        raise ImageReadError(f"{template}: {error.strerror}", hint=_SYNTH) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError) as error:
        raise ImageReadError(
            f"{template} is not a CloudFormation template in JSON", hint=_SYNTH
        ) from error
    return resources


def _only(template: Path, resources: Mapping[str, dict[str, Any]]) -> str:
    found = [
        name
        for name, resource in resources.items()
        if resource.get("Type") == _FUNCTION and _runs_an_image(resource)
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ImageReadError(f"{template} has no function that runs an image")
    raise ImageReadError(
        f"{template} has {len(found)} functions that run an image",
        hint=f"choose one with --function: {', '.join(found)}",
    )


def _runs_an_image(resource: Mapping[str, Any]) -> bool:
    properties = _mapping(resource.get("Properties"))
    is_image = properties.get("PackageType") == "Image"
    return is_image or "ImageUri" in _mapping(properties.get("Code"))


def _architecture(value: Any) -> Architecture:
    match _texts(value) or (DEFAULT_ARCHITECTURE,):
        case ("arm64" | "x86_64" as architecture,):
            return architecture
        case named:
            known = " or ".join(IMAGE_ARCHITECTURES)
            raise _UnknownError(f"Architectures {list(named)}; Lambda has {known}")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _known(value: Any, name: str) -> Any:
    """Refuse an intrinsic function: what it gives is known only when it is deployed."""
    if isinstance(value, dict) and any(key == "Ref" or key.startswith("Fn::") for key in value):
        raise _UnknownError(f"{name} {_text(value)}, known only when it is deployed")
    return value


def _texts(value: Any) -> tuple[str, ...] | None:
    if value is None or isinstance(value, list):
        return None if value is None else tuple(map(_text, value))
    raise _UnknownError(f"{_text(value)} where a list should be, known only when it is deployed")


def _text(value: Any) -> str:
    """Write out a value; what only CloudFormation knows becomes ``${Name}``."""
    match value:
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(_text(part) for part in parts)
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            return text
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {**intrinsic} if len(intrinsic) == 1:
            function, argument = intrinsic.popitem()
            parts = argument if isinstance(argument, list) else [argument]
            named = ".".join(map(str, parts)) if function == "Fn::GetAtt" else function
            return f"${{{named}}}"
        case _:
            return str(value)
