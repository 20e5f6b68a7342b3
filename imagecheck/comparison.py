"""The differences between an image that works and one that fails, the likeliest cause first."""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from imagecheck.check import Report
from imagecheck.image.elf import machine_name
from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind
from imagecheck.start.exec_chain import ExecFault
from imagecheck.subject import Subject

_MAX_FILES = 10
_TASK_ROOTS = ("/var/task", "/opt/nodejs", "/opt/python")
"""Where AWS's base images look for code, beside the folders that the image names."""
_PACKAGES = ("/node_modules/", "/site-packages/", "/dist-packages/")


class FileChanges(NamedTuple):
    """The files in which two images differ, by path: directories and links are files, too."""

    gone: list[str]
    new: list[str]
    changed: dict[str, str]
    """And how."""


def compare(checked: Report, against: Report) -> tuple[str, ...]:
    """Say in sentences what differs, each as "what works → what fails".

    The one with errors is taken for the one that fails; where both or neither has some, ``checked``
    is. Empty when the images are the same.
    """
    if against.has_errors and not checked.has_errors:
        works, fails = checked, against
    else:
        works, fails = against, checked
    differences = tuple(_differences(works, fails))
    if works.has_errors and not differences:
        rules = ", ".join(sorted({f.rule for f in fails.findings if f.severity == "error"}))
        return (f"nothing: both fail, and alike ({rules})",)
    return differences


def changed_files(old: FileSystem, new: FileSystem) -> FileChanges:
    """Say which files differ, as far as it is known: contents are not kept."""
    before = {node.path: node for node in old.below("/")}
    after = {node.path: node for node in new.below("/")}
    return FileChanges(
        gone=[path for path in before if path not in after],
        new=[path for path in after if path not in before],
        changed={
            path: change
            for path in before
            if path in after and (change := _change(before[path], after[path]))
        },
    )


def _differences(works: Report, fails: Report) -> Iterator[str]:
    """Say what explains a failure first, what only differs after it, and layers last."""
    old, new = works.subject, fails.subject
    cpu = tuple(_cpu(old, new))
    explains = bool(new.chain and new.chain.cause is ExecFault.WRONG_MACHINE)
    if explains:
        yield from cpu
    yield from _findings(works, fails, explained={"C1", "C2"} if explains and cpu else set())
    known = set(old.judgement.not_checked)
    yield from (
        f"not checked in the failing one only: {clause}"
        for clause in new.judgement.not_checked
        if clause not in known and new.files
    )
    files = changed_files(old.files, new.files) if old.files and new.files else None
    code = files and _part(files, lambda path: _is_code(path, (old, new)))
    if code:
        yield from _files(code._replace(new=[]), "the function's code and packages: ")
    if not explains:
        yield from cpu
    yield from _start(old, new)
    yield from _form(old, new)
    if files and code:
        rest = _part(files, lambda path: not _is_code(path, (old, new)))
        yield from _files(rest._replace(new=files.new), "files ")
    yield from _layers(old, new)


def _findings(works: Report, fails: Report, explained: set[str]) -> Iterator[str]:
    """Say what only the failing one has: errors, and behind them warnings."""
    errors = {finding.rule for finding in works.findings if finding.severity == "error"} | explained
    any_ = {finding.rule for finding in works.findings} | explained
    for finding in fails.findings:
        if finding.severity == "error" and finding.rule not in errors:
            kind = f"{finding.rule}, {finding.error_type}" if finding.error_type else finding.rule
            yield f"only the failing image has {kind}: {finding.found}"
    for finding in fails.findings:
        if finding.severity == "warning" and finding.rule not in any_:
            yield f"only the failing image has the warning {finding.rule}: {finding.found}"


def _cpu(old: Subject, new: Subject) -> Iterator[str]:
    before, after = (s.image.config.architecture if s.image.config else None for s in (old, new))
    chain = new.chain
    machines = [s.chain.machine if s.chain else None for s in (old, new)]
    why = ""
    if chain and chain.cause is ExecFault.WRONG_MACHINE and chain.machine is not None:
        why = (
            f": {chain} is {machine_name(chain.machine)} and cannot be executed on an"
            f" {new.function.architecture} function"
        )
    if before != after and None not in (before, after):
        yield f"architecture {before} → {after}{why}"
    elif machines[0] != machines[1] and None not in machines:
        names = " → ".join(machine_name(machine or 0) for machine in machines)
        yield f"programs {names}, though both images say {after}{why}"


def _form(old: Subject, new: Subject) -> Iterator[str]:
    types = [subject.image.root_media_type for subject in (old, new)]
    if types[0] != types[1]:
        yield f"manifest {types[0] or 'none'} → {types[1] or 'none'}"


def _start(old: Subject, new: Subject) -> Iterator[str]:
    for name, before, after in (
        ("ENTRYPOINT", list(old.start.entrypoint), list(new.start.entrypoint)),
        ("CMD", list(old.start.command), list(new.start.command)),
        ("working directory", old.start.workdir, new.start.workdir),
    ):
        if before != after:
            yield f"{name} {before} → {after}"
    if old.chain and new.chain and old.chain.steps != new.chain.steps:
        # The arrow means that one leads to the other, so it cannot mean that one became the other.
        yield f"what is started: was {old.chain}; is {new.chain}"
    before_names, after_names = old.start.environment, new.start.environment
    changed = sorted(
        name
        for name in before_names.keys() | after_names.keys()
        if before_names.get(name) != after_names.get(name)
    )
    if changed:
        # Values can be secrets.
        yield f"environment: {', '.join(changed)} differ(s)"


def _layers(old: Subject, new: Subject) -> Iterator[str]:
    before, after = _diff_ids(old), _diff_ids(new)
    if before == after:
        return
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))))
    many = "the first is" if same == 1 else f"the first {same} are"
    what = f"{many} the same" if same else "not even the first is the same"
    yield f"layers {len(before)} → {len(after)}: {what}"


def _diff_ids(subject: Subject) -> Sequence[str]:
    config = subject.image.config
    return (config.rootfs.diff_ids or []) if config else []


def _is_code(path: str, subjects: tuple[Subject, ...]) -> bool:
    """Whether it is of the function: below a folder of its code, or of installed packages."""
    if any(folder in f"{path}/" for folder in _PACKAGES):
        return True
    roots = {root for subject in subjects for root in (*subject.task_roots, *_TASK_ROOTS)}
    return any(path.startswith(f"{root}/") for root in roots)


def _part(files: FileChanges, is_in: Callable[[str], bool]) -> FileChanges:
    """Take the files that something is true of."""
    return FileChanges(
        gone=[path for path in files.gone if is_in(path)],
        new=[path for path in files.new if is_in(path)],
        changed={path: change for path, change in files.changed.items() if is_in(path)},
    )


def _files(found: FileChanges, of: str) -> Iterator[str]:
    groups = {
        "gone": _topmost(found.gone),
        "changed": [f"{path} ({change})" for path, change in found.changed.items()],
        "new": _topmost(found.new),
    }
    for what, paths in groups.items():
        if paths:
            more = f" and {len(paths) - _MAX_FILES} more" if len(paths) > _MAX_FILES else ""
            yield f"{of}{what}: {', '.join(paths[:_MAX_FILES])}{more}"


def _topmost(paths: Iterable[str]) -> list[str]:
    """Name a folder in place of what is below it, and say how much that is."""
    below: dict[str, int] = {}
    known = set(paths)
    for path in sorted(known):
        top, folder = path, posixpath.dirname(path)
        # Each package is named by itself.
        while folder in known and f"/{posixpath.basename(folder)}/" not in _PACKAGES:
            top, folder = folder, posixpath.dirname(folder)
        below[top] = below.get(top, -1) + 1
    for folder in {posixpath.dirname(top) for top in below}:
        below.pop(folder, None)
    return [f"{path}/ (with {count} below it)" if count else path for path, count in below.items()]


def _change(before: Node, after: Node) -> str:
    """Say how a file differs, as far as it is known: contents are not kept."""
    one, two = before.entry, after.entry
    if one.kind is not two.kind:
        return f"{one.kind} → {two.kind}"
    if one.mode != two.mode and one.kind is not FileKind.SYMLINK:
        return f"mode {one.mode:04o} → {two.mode:04o}"
    if one.target != two.target and one.kind is FileKind.SYMLINK:
        return f"to {one.target} → {two.target}"
    if one.elf and two.elf and one.elf.machine != two.elf.machine:
        return f"{one.elf.machine_name} → {two.elf.machine_name}"
    if one.size != two.size:
        return f"{one.size:,} → {two.size:,} bytes"
    return "first bytes" if one.head != two.head else ""
