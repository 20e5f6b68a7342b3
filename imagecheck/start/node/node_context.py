"""The files, the Node version and the text sources that following modules works with."""

import posixpath
from typing import TYPE_CHECKING

from imagecheck.start.handler import Handler
from imagecheck.start.node.loader import NodeContext
from imagecheck.start.node.natives import NodePlatform
from imagecheck.start.node.package_json import Packages
from imagecheck.start.node.resolve import Resolver
from imagecheck.start.node.sources import Sources
from imagecheck.start.node.version import node_of, node_on_aws_base
from imagecheck.start.options import node_options

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject

_AWS_NODE_PATH = (
    "/opt/nodejs/node_modules",
    "/var/runtime/node_modules",
    "/var/runtime",
    "/var/task",
)
_MAJORS = range(14, 40)


def node_context_of(subject: "Subject", handler: Handler) -> NodeContext:
    """Describe what a handler's modules are found with."""
    return node_context_of_process(subject, handler.process, is_on_aws_base=handler.is_on_aws_base)


def node_context_of_process(
    subject: "Subject", process: "Process", *, is_on_aws_base: bool
) -> NodeContext:
    """Describe what the modules of a program of Node are found with."""
    files = subject.files
    assert files  # noqa: S101  (asked by who judges)
    sources = Sources(files, subject.contents)
    sources.read_around(_own_folder(process, is_on_aws_base=is_on_aws_base))
    environment = process.environment
    program = process.chain.program
    if is_on_aws_base:
        node = node_on_aws_base(files, environment, sources.read_path)
    else:
        path = program.path if program else ""
        node = node_of(path, environment, node_options(process.words), sources.read_path)
    node_path = [path for path in environment.get("NODE_PATH", "").split(":") if path]
    if is_on_aws_base and not node_path:
        node_path = [f"/opt/nodejs/node{major}/node_modules" for major in _MAJORS]
        node_path += _AWS_NODE_PATH
    if home := environment.get("HOME"):
        node_path += [f"{home}/.node_modules", f"{home}/.node_libraries"]
    if program:
        prefix = posixpath.dirname(posixpath.dirname(program.path))
        node_path.append(posixpath.join(prefix, "lib/node"))
    packages = Packages(sources)
    elf = program.entry.elf if program else None
    is_musl = "ld-musl" in (elf.interpreter or "") if elf and elf.interpreter else None
    cpu = "arm64" if subject.function.architecture == "arm64" else "x64"
    return NodeContext(
        files=files,
        sources=sources,
        packages=packages,
        resolver=Resolver(
            files,
            packages,
            node,
            node_path,
            subject.budget,
            # AWS's Node looks there for ES modules too.
            import_paths=node_path if is_on_aws_base else (),
        ),
        node=node,
        platform=NodePlatform(cpu, False if is_on_aws_base else is_musl),
        budget=subject.budget,
        workdir=process.workdir or "/",
        environment=environment,
        has_sdk=is_on_aws_base and files.find("/var/runtime/node_modules") is None,
    )


def _own_folder(process: "Process", *, is_on_aws_base: bool) -> str:
    task_root = process.environment.get("LAMBDA_TASK_ROOT") or "/var/task"
    folder = task_root if is_on_aws_base else process.workdir
    return folder if folder.strip("/") else task_root
