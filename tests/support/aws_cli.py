"""Commands of the AWS CLI, as documents have them, run by boto3, which the CLI is made of.

Of its syntax it knows what the documents use: options with text, switches, the short form of
structures, ``wait``, ``--query`` and ``--output``:
https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html
"""

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import jmespath  # type: ignore[import-untyped]  # boto3 brings it, without types
from botocore import xform_name
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from botocore.waiter import WaiterModel

_OF_THE_CLI = frozenset({"output", "query", "region"})


@dataclass(frozen=True)
class AwsCommand:
    """A command, as boto3 takes it. ``waiter`` is there for ``wait``, ``query`` for ``--query``."""

    service: str
    method: str
    arguments: Mapping[str, Any]
    waiter: str | None = None
    query: str | None = None


def read_command(command: str) -> AwsCommand:
    """Read a command. Raises ValueError where there is no such operation or option."""
    program, service, operation, *rest = shlex.split(command)
    assert program == "aws"
    model = _service(service)
    if operation == "wait":
        waiter, *rest = rest
        waits = WaiterModel(_loader().load_service_model(service, "waiters-2"))
        by_name = {xform_name(name, "-"): name for name in waits.waiter_names}
        operation = xform_name(waits.get_waiter(by_name[waiter]).operation, "-")
        return replace(_read(model, operation, rest), waiter=waiter.replace("-", "_"))
    return _read(model, operation, rest)


def run_aws(command: str, client: Callable[[str], Any]) -> Any:
    """Run a command, and return what it answers; with ``--query``, that of it.

    ``client`` returns the boto3 client of a service. Raises as boto3 and ``read_command`` do.
    """
    read = read_command(command)
    boto = client(read.service)
    if read.waiter:
        boto.get_waiter(read.waiter).wait(**read.arguments)
        return None
    answer = getattr(boto, read.method)(**read.arguments)
    return jmespath.search(read.query, answer) if read.query else answer


def _read(model: ServiceModel, operation: str, rest: list[str]) -> AwsCommand:
    by_name = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in by_name:
        raise ValueError(f"aws {model.service_name} has no {operation}")
    shape = model.operation_model(by_name[operation]).input_shape
    members = {xform_name(name, "-"): (name, one) for name, one in _members(shape)}
    given = dict(_options(rest))
    arguments: dict[str, Any] = {}
    for option, text in given.items():
        if option in _OF_THE_CLI:
            continue
        positive = option.removeprefix("no-")
        if positive not in members:
            raise ValueError(f"aws {model.service_name} {operation} has no --{option}")
        name, member = members[positive]
        arguments[name] = option == positive if text is None else _value(member, text)
    if shape is not None and (report := ParamValidator().validate(arguments, shape)).has_errors():
        raise ValueError(report.generate_report())
    return AwsCommand(
        service=model.service_name,
        method=operation.replace("-", "_"),
        arguments=arguments,
        query=given.get("query"),
    )


@cache
def _loader() -> Any:
    return create_loader()


@cache
def _service(name: str) -> ServiceModel:
    return ServiceModel(_loader().load_service_model(name, "service-2"), name)


def _members(shape: Any) -> Iterator[tuple[str, Any]]:
    yield from (shape.members if shape else {}).items()


def _options(words: list[str]) -> Iterator[tuple[str, str | None]]:
    while words:
        option, *words = words
        if not option.startswith("--"):
            raise ValueError(f"{option} is no option")
        if words and not words[0].startswith("--"):
            value, *words = words
            yield option[2:], value
        else:
            yield option[2:], None


def _value(shape: Any, text: str) -> Any:
    match shape.type_name:
        case "structure":
            pairs = (part.split("=", 1) for part in text.split(","))
            return {name: _value(shape.members[name], value) for name, value in pairs}
        case "boolean":
            return text == "true"
        case "integer" | "long":
            return int(text)
        case "list":
            return [_value(shape.member, part) for part in text.split()]
        case _:
            return text
