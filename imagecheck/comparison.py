"""What differs between an image that works and one that fails, what explains most first."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from imagecheck.check import Report
from imagecheck.image.elf import machine_name
from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import Kind
from imagecheck.start.exec_chain import Cause
from imagecheck.subject import Subject

_MAX_FILES = 10


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
    old, new = works.subject, fails.subject
    yield from _cpu(old, new)
    explained = {"C1", "C2"} if new.chain and new.chain.cause is Cause.WRONG_MACHINE else set()
    known = {finding.rule for finding in works.findings} | explained
    for finding in fails.findings:
        if finding.severity == "error" and finding.rule not in known:
            yield f"only the failing one has {finding.rule}, {finding.error_type}: {finding.found}"
    yield from _form(old, new)
    yield from _start(old, new)
    yield from _layers(old, new)
    if old.files and new.files:
        yield from _files(old.files, new.files)


def _cpu(old: Subject, new: Subject) -> Iterator[str]:
    before, after = (s.image.config.architecture if s.image.config else None for s in (old, new))
    chain = new.chain
    machines = [s.chain.machine if s.chain else None for s in (old, new)]
    why = ""
    if chain and chain.cause is Cause.WRONG_MACHINE and chain.machine is not None:
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
        yield f"what is started: {old.chain} → (now) {new.chain}"
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


def _files(old: FileSystem, new: FileSystem) -> Iterator[str]:
    found = changed_files(old, new)
    groups = {
        "gone": found.gone,
        "new": found.new,
        "changed": [f"{path} ({change})" for path, change in found.changed.items()],
    }
    for what, paths in groups.items():
        if paths:
            more = f" and {len(paths) - _MAX_FILES} more" if len(paths) > _MAX_FILES else ""
            yield f"files {what}: {', '.join(paths[:_MAX_FILES])}{more}"


def _change(before: Node, after: Node) -> str:
    """Say how a file differs, as far as it is known: contents are not kept."""
    one, two = before.entry, after.entry
    if one.kind is not two.kind:
        return f"{one.kind} → {two.kind}"
    if one.mode != two.mode and one.kind is not Kind.SYMLINK:
        return f"mode {one.mode:04o} → {two.mode:04o}"
    if one.target != two.target and one.kind is Kind.SYMLINK:
        return f"to {one.target} → {two.target}"
    if one.elf and two.elf and one.elf.machine != two.elf.machine:
        return f"{one.elf.machine_name} → {two.elf.machine_name}"
    if one.size != two.size:
        return f"{one.size:,} → {two.size:,} bytes"
    return "first bytes" if one.head != two.head else ""
