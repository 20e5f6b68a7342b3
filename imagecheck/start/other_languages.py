"""Handlers of Java, .NET and Ruby: whether the file or the class is where the client looks.

How the clients look for them: https://github.com/aws/aws-lambda-java-libs,
https://github.com/aws/aws-lambda-dotnet and
https://github.com/aws/aws-lambda-ruby-runtime-interface-client.
"""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.start.class_path import class_path_of, read_class_path
from imagecheck.start.handler import Handler
from imagecheck.start.judged import Judged, judged

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_TASK_ROOT: Final = "/var/task"
_RUBY_PARTS: Final = (2, 3)


def java_handler(subject: "Subject", handler: Handler) -> Iterator[Judged | Node | str]:
    """Judge ``package.Class::method``: AWS's base looks in /var/task, and in jars in its lib."""
    class_name = handler.name.partition("::")[0]
    root = _root(handler)
    entries = [root, f"{root}/lib/*", "/opt/java/lib/*"]
    path = read_class_path(subject, entries)
    is_unknown = path.is_unknown
    places = path.text
    found = path.has(class_name)
    if handler.client:
        own = class_path_of(subject, handler.process)
        found = found or own.has(class_name)
        is_unknown = is_unknown or own.is_unknown
        places = f"{own.text}, {places}"
    if found:
        yield f"the method of {handler.name}: it is in no list that is read here"
    elif is_unknown:
        yield f"the handler {handler.name}: not everything on its class path could be read"
    else:
        yield judged(
            "E2",
            f"the class {class_name} is in none of the places where Java looks: {places}",
            "copy the classes to ${LAMBDA_TASK_ROOT}, and jars to ${LAMBDA_TASK_ROOT}/lib",
            error_type="java.lang.ClassNotFoundException",
        )


def dotnet_handler(subject: "Subject", handler: Handler) -> Iterator[Judged | Node | str]:
    """Judge ``Assembly::Namespace.Class::Method``, or an assembly alone."""
    assert subject.files  # noqa: S101  (there is no handler without files)
    assembly = handler.name.partition("::")[0]
    path = posixpath.join(_root(handler), f"{assembly.removesuffix('.dll')}.dll")
    if subject.files.find(path):
        yield f"the class and the method of {handler.name}: assemblies are not read"
        return
    yield judged(
        "E2",
        f"the handler's assembly {path} is not there",
        "copy what dotnet publish writes to ${LAMBDA_TASK_ROOT}, or correct the name before ::",
        error_type="LambdaValidationException",
    )


def ruby_handler(subject: "Subject", handler: Handler) -> Iterator[Judged | Node | str]:
    """Judge ``file.method`` or ``file.Class.method``."""
    assert subject.files  # noqa: S101  (there is no handler without files)
    parts = handler.name.split(".")
    if len(parts) not in _RUBY_PARTS:
        yield judged(
            "E1",
            f"the handler {handler.name!r} is neither FILE.METHOD nor FILE.CLASS.METHOD",
            'CMD ["app.handler"]',
            error_type="ArgumentError",
        )
        return
    name = f"{parts[0]}.rb"
    roots = [_root(handler), handler.process.workdir, _TASK_ROOT]
    roots += [r for r in handler.process.environment.get("RUBYLIB", "").split(":") if r]
    if any(subject.files.find(posixpath.join(root, name)) for root in roots):
        yield f"the method of {handler.name}: Ruby code is not read"
        return
    elsewhere = [n for n in subject.files.below("/") if n.path.endswith(f"/{name}")]
    where = f"; there is {elsewhere[0].path}" if elsewhere else ""
    yield judged(
        "E2",
        f"there is no {name} in {', '.join(dict.fromkeys(roots))}{where}",
        "COPY it to ${LAMBDA_TASK_ROOT}, or correct the handler in CMD",
        severity="warning" if elsewhere else "error",
        error_type="Init<LoadError>",
    )


def _root(handler: Handler) -> str:
    """The folder of the function's code: AWS's bases name it; else it is the working directory."""
    if handler.is_on_aws_base:
        return handler.process.environment.get("LAMBDA_TASK_ROOT") or _TASK_ROOT
    return posixpath.normpath(handler.process.workdir)
