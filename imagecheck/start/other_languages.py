"""Handlers of Java, .NET and Ruby: whether the file or the class is where the client looks.

How the clients look for them, and what they report, is from their sources:
https://github.com/aws/aws-lambda-java-libs, https://github.com/aws/aws-lambda-dotnet and
https://github.com/aws/aws-lambda-ruby-runtime-interface-client. The clients were not tried; what
Java itself makes of a command was, with Java 25.
"""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.rule import EXIT_ERROR
from imagecheck.start.class_path import class_path_of, read_class_path
from imagecheck.start.handler import Handler
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.java_program import loaded_of, main_class_problem
from imagecheck.start.java_runtime import agent_problems, class_too_new

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_JAVA_OF_AWS: Final = "/var/lang/bin/java"
_TASK_ROOT: Final = "/var/task"
_RUBY_PARTS: Final = (2, 3)


def java_handler(subject: "Subject", handler: Handler) -> Iterator[HandlerProblem | Node | str]:
    """Judge ``package.Class::method``: the client looks in a folder, and in jars in its lib.

    A class that is missing fails each invocation, not the start.
    """
    program = handler.process.chain.program
    java = program.path if handler.client and program else _JAVA_OF_AWS
    agents = list(agent_problems(subject, handler.process, java))
    if agents:
        yield from agents
        return
    class_name = handler.name.partition("::")[0]
    root = _root(handler)
    path = read_class_path(subject, [root, f"{root}/lib/*", "/opt/java/lib/*"])
    is_unknown = path.is_unknown
    places = path.text
    paths = [path]
    if handler.client:
        missing = list(main_class_problem(subject, handler.process, handler.client, "D4"))
        yield from missing
        if any(isinstance(one, HandlerProblem) for one in missing):
            return
        own = class_path_of(subject, handler.process)
        paths = [own, path]
        is_unknown = is_unknown or own.is_unknown
        places = f"{own.text}, {places}"
    found = next((path for path in paths if path.has(class_name)), None)
    if found:
        yield from class_too_new(
            subject, found, class_name, java, "java.lang.UnsupportedClassVersionError"
        )
        yield from loaded_of(subject, found, class_name)
        yield f"the method of {handler.name}: it is in no list that is read here"
    elif is_unknown:
        yield f"the handler {handler.name}: not everything on its class path could be read"
    else:
        yield handler_problem(
            "E2",
            f"the class {class_name} is not on Java's class path: {places}",
            "copy the classes to ${LAMBDA_TASK_ROOT}, and jars to ${LAMBDA_TASK_ROOT}/lib",
            error_type="java.lang.ClassNotFoundException",
        )


def dotnet_handler(subject: "Subject", handler: Handler) -> Iterator[HandlerProblem | Node | str]:
    """Judge ``Assembly::Namespace.Class::Method``, or a program's name, as AWS's bootstrap does.

    https://github.com/aws/aws-lambda-dotnet/blob/master/Libraries/src/Amazon.Lambda.RuntimeSupport/bootstrap.sh
    """
    assert subject.files  # noqa: S101  (there is no handler without files)
    root = subject.files.find(_root(handler))
    assembly, colons, _ = handler.name.partition(":")
    path = posixpath.join(_root(handler), f"{assembly.removesuffix('.dll')}.dll")
    if not colons:
        binary = posixpath.join(_root(handler), assembly)
        if subject.files.find(path) or subject.files.find(binary):
            yield f"what {handler.name} does: programs of .NET are not read"
            return
        yield _dotnet(f"there is neither {path} nor {binary}; exit status 104", EXIT_ERROR)
        return
    main = handler.process.environment.get("LAMBDA_DOTNET_MAIN_ASSEMBLY") or assembly
    for status, ending in ((105, ".deps.json"), (106, ".runtimeconfig.json")):
        name = f"{main.removesuffix('.dll')}{ending}"
        there = [child for child in root.children if child.endswith(ending)] if root else []
        if name not in there and len(there) != 1:
            many = f"it has {len(there)} others" if there else "nor any other"
            where = f"{name} is not in {_root(handler)}, {many}; exit status {status}"
            yield _dotnet(where, EXIT_ERROR)
            return
    if subject.files.find(path):
        yield f"the class and the method of {handler.name}: assemblies are not read"
        return
    yield _dotnet(f"the handler's assembly {path} is not there", "LambdaValidationException")


def _dotnet(found: str, error_type: str) -> HandlerProblem:
    return handler_problem(
        "E2",
        found,
        "copy all that dotnet publish writes to ${LAMBDA_TASK_ROOT}, or correct the name in CMD",
        error_type=error_type,
    )


def ruby_handler(subject: "Subject", handler: Handler) -> Iterator[HandlerProblem | Node | str]:
    """Judge ``file.method`` or ``file.Class.method``, which the client splits and requires.

    https://github.com/aws/aws-lambda-ruby-runtime-interface-client/blob/main/lib/aws_lambda_ric.rb
    """
    assert subject.files  # noqa: S101  (there is no handler without files)
    parts = handler.name.split(".")
    if len(parts) not in _RUBY_PARTS:
        yield handler_problem(
            "E1",
            f"the handler {handler.name!r} is neither FILE.METHOD nor FILE.CLASS.METHOD",
            'CMD ["app.handler"]',
            error_type="Init<ArgumentError>",
        )
        return
    name = f"{parts[0]}.rb"
    environment = handler.process.environment
    roots = [_root(handler), *(r for r in environment.get("RUBYLIB", "").split(":") if r)]
    if handler.is_on_aws_base:
        roots += ["/opt/ruby/lib", "/var/runtime/lib"]
    if any(subject.files.find(posixpath.join(root, name)) for root in roots):
        yield f"the method of {handler.name}: Ruby code is not read"
        return
    elsewhere = [n.path for n in subject.files.below("/") if n.path.endswith(f"/{name}")]
    # Where Ruby and its gems have their own code, and what options add, is not known here.
    may_be = any(posixpath.basename(word)[:2] == "-I" for word in handler.process.words)
    may_be = may_be or "-I" in environment.get("RUBYOPT", "")
    may_be = may_be or any("/gems/" in path or "ruby/" in path for path in elsewhere)
    where = f"; there is {elsewhere[0]}" if elsewhere else ""
    yield handler_problem(
        "E2",
        f"there is no {name} in {', '.join(dict.fromkeys(roots))}{where}",
        "COPY it to ${LAMBDA_TASK_ROOT}, or correct the handler in CMD",
        severity="warning" if may_be else "error",
        error_type="Init<LoadError>",
    )


def _root(handler: Handler) -> str:
    """The folder of the function's code: AWS's bases name it; else it is the working directory."""
    if handler.is_on_aws_base:
        return handler.process.environment.get("LAMBDA_TASK_ROOT") or _TASK_ROOT
    return posixpath.normpath(handler.process.workdir)
