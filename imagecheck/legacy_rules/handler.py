"""Section E: loading the handler, which is the runtime client's work, and what it is made of."""

import re
from collections import defaultdict
from collections.abc import Iterator

from imagecheck.finding import Finding
from imagecheck.image.elf import Elf
from imagecheck.image.filesystem import Node
from imagecheck.image.layer import Kind
from imagecheck.legacy_rules.legacy import error, warning
from imagecheck.subject import Subject

_CODE = (".py", ".so", ".js", ".mjs", ".cjs", ".json", ".node", ".pyc")
_NATIVE = re.compile(r".*\.(?:so(?:\.[\d.]+)?|node)")
_PLATFORM_WORDS = re.compile(r"x86[_-]64|amd64|x64|aarch64|arm64|linux|musl|glibc|gnu")
_WHEELS = {"arm64": "aarch64", "x86_64": "x86_64"}


def code_may_not_be_read(subject: Subject) -> Iterator[Finding]:
    """E6: Lambda runs the code as somebody who owns nothing in the image."""
    if not subject.files:
        return
    code: list[Node] = []
    other: list[Node] = []
    for root in subject.task_roots:
        folder = subject.files.find(root)
        for node in [folder, *subject.files.below(root)] if folder else []:
            is_folder = node.kind is Kind.DIRECTORY
            if node.is_readable() and (not is_folder or node.is_executable()):
                continue
            if is_folder or (node.kind is Kind.FILE and node.path.endswith(_CODE)):
                code.append(node)
            elif node.kind is Kind.FILE:
                other.append(node)
    # A program that is no runtime client may do without them.
    say = error if subject.judgement.handler else warning
    fix = f"COPY --chmod=a+rX …, or RUN chmod -R a+rX {' '.join(subject.task_roots)}"
    if code:
        first_is_folder = code[0].kind is Kind.DIRECTORY
        type_ = "Runtime.ImportModuleError" if first_is_folder else None
        yield say("E6", f"others may not read {_listed(code)}", fix, error_type=type_)
    if other:
        yield warning("E6", f"others may not read {_listed(other)}", fix)


def native_modules(subject: Subject) -> Iterator[Finding]:
    """E7."""
    if not subject.files or subject.is_wholly_of_another_cpu:
        return
    libc = _libc_of_image(subject)
    groups: dict[str, list[Node]] = defaultdict(list)
    for root in (*subject.task_roots, "/opt/python", "/opt/nodejs"):
        for node in subject.files.below(root):
            if node.entry.elf and _NATIVE.fullmatch(node.path):
                groups[_PLATFORM_WORDS.sub("", node.path)].append(node)
    wrong = [
        node
        for nodes in groups.values()
        # A package may bring one file for each platform; then one has to fit.
        if not any(_fits(node, subject.function.machine, libc) for node in nodes)
        for node in nodes
    ]
    if wrong:
        what = ", ".join(f"{node.path} ({_kind(node)})" for node in wrong[:3])
        on = f"{subject.function.architecture}{f' with {libc}' if libc else ''}"
        cpu = _WHEELS[subject.function.architecture]
        yield error(
            "E7",
            f"{len(wrong)} native module(s) are not for {on}: {what}",
            "install packages for the function: docker buildx build --platform …, or pip install"
            f" --only-binary=:all: --platform manylinux2014_{cpu}",
        )


def _fits(node: Node, machine: int, libc: str | None) -> bool:
    elf = node.entry.elf
    return bool(elf and elf.machine == machine and libc in (None, _libc_of(elf) or libc))


def _libc_of_image(subject: Subject) -> str | None:
    program = subject.chain.program if subject.chain else None
    interpreter = program.entry.elf.interpreter if program and program.entry.elf else None
    if interpreter is None:
        return None
    return "musl" if "ld-musl-" in interpreter else "glibc"


def _libc_of(elf: Elf) -> str | None:
    if any(name == "libc.so" or name.startswith("libc.musl-") for name in elf.needed):
        return "musl"
    return "glibc" if "libc.so.6" in elf.needed else None


def _kind(node: Node) -> str:
    elf = node.entry.elf
    return f"{elf.machine_name}{f', {_libc_of(elf)}' if _libc_of(elf) else ''}" if elf else ""


def _listed(nodes: list[Node]) -> str:
    first = ", ".join(f"{node.path} ({node.entry.mode:04o})" for node in nodes[:3])
    return f"{first} and {len(nodes) - 3} more" if len(nodes) > 3 else first  # noqa: PLR2004


RULES = (code_may_not_be_read, native_modules)
