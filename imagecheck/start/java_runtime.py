"""Faults that end Java before it runs a class: an agent that cannot be loaded, a class too new.

Agents: https://docs.oracle.com/en/java/javase/21/docs/api/java.instrument/java/lang/instrument/package-summary.html.
Versions of class files: https://docs.oracle.com/javase/specs/jvms/se21/html/jvms-4.html#jvms-4.1.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.layer import FileKind
from imagecheck.rule import EXIT_ERROR
from imagecheck.start.class_path import ClassPath, class_version, is_no_jar, read_jar
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.interpreted import AT_RUN_TIME
from imagecheck.start.java_command import Agent, java_agents, java_version
from imagecheck.start.shell.state import UNKNOWN

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject

_VERSION_BEFORE_JAVA_1: Final = 44


def agent_problems(
    subject: "Subject", process: "Process", program: str
) -> Iterator[HandlerProblem]:
    """Report an agent that cannot be loaded: Java ends with 1 before it looks for a class.

    ``program`` is the path of ``java``, which the process is, or will be. Raises ImageReadError.
    """
    for agent in java_agents(subject, process, program):
        if agent.path.startswith(AT_RUN_TIME) or UNKNOWN in agent.path:
            continue
        fault = _agent_fault(subject, agent)
        if fault:
            where = f" ({agent.variable})" if agent.variable else ""
            yield handler_problem(
                "E2",
                f"java loads the agent {agent.path} first{where}, and {fault}; exit status 1",
                "copy the agent into the image (a function from an image has no layers), or remove"
                " the option",
                error_type=EXIT_ERROR,
            )
            return


def class_too_new(
    subject: "Subject", path: ClassPath, class_name: str, program: str, error_type: str
) -> Iterator[HandlerProblem]:
    """Report a class that a newer Java wrote than that which loads it. Raises ImageReadError."""
    java = java_version(subject, program)
    if java is None:
        return
    versions = {file.text: class_version(subject, file) for file in path.files_of(class_name, java)}
    # Which of several is loaded depends on their order.
    if not versions or any(
        version is None or version <= java + _VERSION_BEFORE_JAVA_1 for version in versions.values()
    ):
        return
    name, version = next(iter(versions.items()))
    ends = "; exit status 1" if error_type == EXIT_ERROR else ""
    yield handler_problem(
        "E4",
        f"{name} has class file version {version}, which Java {java}"
        f" ({java + _VERSION_BEFORE_JAVA_1} at most) does not read{ends}",
        f"compile with --release {java}, or take a base with a newer Java",
        error_type=error_type,
    )


def _agent_fault(subject: "Subject", agent: Agent) -> str:
    assert subject.files  # noqa: S101  (the caller has looked)
    node = subject.files.find(agent.path)
    if node is None or node.kind is not FileKind.FILE:
        return "there is no such file"
    if agent.is_native:
        return ""
    read = read_jar(subject, node)
    if read is None:
        return "it is not a jar" if is_no_jar(subject, node) else ""
    return "" if read.is_agent else "it has no Premain-Class in its manifest"
