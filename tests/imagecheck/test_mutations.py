"""Good images, changed at random: check never fails itself, and what it says is what happens."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from imagecheck.check import Report, check_image
from imagecheck.function import Function
from imagecheck.image.errors import ImageReadError
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.manifest import GZIP_LAYER_TYPES, digest_of
from imagecheck.image.reference import parse_reference
from tests.support.imagecheck.cases import (
    FOREIGN,
    LINKED,
    ON_HOST,
    PROGRAM,
    Silent,
    findings_of,
    rewritten,
    run,
)
from tests.support.imagecheck.images import (
    Directory,
    File,
    HardLink,
    Image,
    Layer,
    Member,
    Opaque,
    Symlink,
    Whiteout,
    layer_of,
    write_image,
)
from tests.support.imagecheck.prediction import Outcome, outcome, prediction, start_of
from tests.support.imagecheck.programs import AARCH64, ENTRYPOINT, HOST, X86_64, busybox, tiny_elf
from tests.support.imagecheck.starting import start

pytestmark = pytest.mark.proof

# The same examples each time: what is found by chance is not a reason to stop somebody else's work.
SLOW = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
FAST = settings(SLOW, max_examples=200)


@dataclass(frozen=True)
class Plan:
    """An image to be: members of layers, the lowest first, and how it is started."""

    layers: tuple[tuple[Member, ...], ...]
    entrypoint: str = "/run"
    workdir: str = "/"

    def write(self, folder: Path) -> Image:
        layers = [layer_of(*members, parents=False) for members in self.layers]
        return self.write_with(folder, layers)

    def write_with(self, folder: Path, layers: list[Layer]) -> Image:
        return write_image(
            folder,
            layers,
            entrypoint=[self.entrypoint],
            workdir=self.workdir,
            architecture=HOST,
            env={"PATH": "/bin:/app"},
        )


GOOD = (
    Plan(((run(PROGRAM),),)),
    Plan(((Directory("app"), File("app/run", PROGRAM, 0o755)),), "/app/run", "/app"),
    Plan(
        (
            (Directory("app"), File("app/it", PROGRAM, 0o755), Symlink("link", "app")),
            (Directory("bin"), File("bin/sh", "#!/link/it\n", 0o755)),
            (run("#!/bin/sh -e\nexit 0\n"),),
        )
    ),
    Plan(((Directory("lib"), File("lib/ld.so", PROGRAM, 0o755)), (run(LINKED),))),
    Plan(
        (
            (Directory("app"), File("app/old", FOREIGN, 0o755), File("app/run", FOREIGN, 0o755)),
            (Opaque("app"), File("app/one", PROGRAM, 0o755)),
            (HardLink("app/run", "app/one"),),
            (Whiteout("app/one"),),
        ),
        "/app/run",
    ),
    Plan(
        (
            (Directory("bin"), File("bin/tools", busybox(), 0o755)),
            (Symlink("bin/sh", "tools"), Symlink("bin/env", "/bin/tools")),
            (Directory("app"), File("app/tool", "#!/bin/sh\nexit 0\n", 0o755)),
            (run("#!/bin/env tool\n"), File("opt", "")),
        )
    ),
)

Mutation = Callable[[st.DrawFn, Plan], Plan]


def drop_a_member(draw: st.DrawFn, plan: Plan) -> Plan:
    number, members = draw_layer(draw, plan)
    index = draw(st.integers(0, len(members) - 1))
    return with_layer(plan, number, members[:index] + members[index + 1 :])


def flip_a_mode_bit(draw: st.DrawFn, plan: Plan) -> Plan:
    bit = 1 << draw(st.integers(0, 11))
    return with_mode(draw, plan, lambda mode: mode ^ bit)


def close(draw: st.DrawFn, plan: Plan) -> Plan:
    mode = draw(st.sampled_from([0, 0o001, 0o004, 0o111, 0o444, 0o644, 0o700, 0o711, 0o750]))
    return with_mode(draw, plan, lambda _: mode)


def change_the_machine(draw: st.DrawFn, plan: Plan) -> Plan:
    machine = struct.pack("<H", draw(st.sampled_from([X86_64, AARCH64, 3, 40, 0, 243])))
    return with_content(draw, plan, lambda content: content[:18] + machine + content[20:])


def cut_a_file(draw: st.DrawFn, plan: Plan) -> Plan:
    length = draw(st.sampled_from([0, 1, 2, 3, 4, 16, 20, 52, 63, 64, 100, 119, 120, 131, 250]))
    return with_content(draw, plan, lambda content: content[:length])


TEXTS = [
    b"\r\n", b"\n", b"\xef\xbb\xbf", b"#!", b"#!/", b"#! \t/app/it", b"#!/run\n", b"#!/app\n",
    b"#!/bin/env it\n", b"#!/bin/env it\r\n", b"#!/bin/env -S it x\n", b"#!/bin/env /app/it\n",
    b"#!/app/\0it\n", b"#!bin/sh\n", b"#!/bin/../link/./it x y\n", b"#!/app/it\t", b"MZ",
    b"\x7fELF", b"#!/" + b"x" * 260, b"#!" + b" " * 250 + b"/app/it\n",
    b"#!" + b" " * 246 + b"/app/it\n",
]  # fmt: skip


def change_the_text(draw: st.DrawFn, plan: Plan) -> Plan:
    text = draw(st.sampled_from(TEXTS))
    where = draw(st.sampled_from(["start", "whole", "line"]))

    def change(content: bytes) -> bytes:
        match where:
            case "start":
                return text + content
            case "line":
                return content.replace(b"\n", text.replace(b"\n", b"") + b"\n")
            case _:
                return text

    return with_content(draw, plan, change)


def put_something_there(draw: st.DrawFn, plan: Plan) -> Plan:
    path = draw(paths(plan))
    target = draw(paths(plan) | st.sampled_from(["/nowhere", ".", "..", "/", "run", "/run/"]))
    members: list[Member] = [
        Symlink(path, target),
        HardLink(path, target),
        Directory(path, 0o755),
        Directory(path, 0o700),
        File(path, PROGRAM, 0o755),
        File(path, FOREIGN, 0o755),
        File(path, tiny_elf(interpreter="/" + target.strip("/")), 0o755),
        Whiteout(path),
        Opaque(path),
    ]
    member = draw(st.sampled_from(members))
    at = draw(st.integers(0, len(plan.layers)))
    return replace(plan, layers=(*plan.layers[:at], (member,), *plan.layers[at:]))


def swap_two_layers(draw: st.DrawFn, plan: Plan) -> Plan:
    layers = draw(st.permutations(plan.layers))
    return replace(plan, layers=tuple(layers))


def start_something_else(draw: st.DrawFn, plan: Plan) -> Plan:
    path = draw(paths(plan))
    form = draw(st.sampled_from(["/{}", "/{}/", "/./{}", "./{}", "/{}/../{}", "//{}", "/{}/x"]))
    return replace(plan, entrypoint=form.replace("{}", path))


def work_somewhere_else(draw: st.DrawFn, plan: Plan) -> Plan:
    return replace(plan, workdir=draw(paths(plan).map("/{}".format) | st.just("/nowhere")))


MUTATIONS: tuple[Mutation, ...] = (
    drop_a_member,
    flip_a_mode_bit,
    close,
    change_the_machine,
    cut_a_file,
    change_the_text,
    put_something_there,
    swap_two_layers,
    start_something_else,
    work_somewhere_else,
)


@st.composite
def mutated(draw: st.DrawFn) -> Plan:
    plan = draw(st.sampled_from(GOOD))
    for mutation in draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=3)):
        plan = mutation(draw, plan)
    return plan


def draw_layer(draw: st.DrawFn, plan: Plan) -> tuple[int, tuple[Member, ...]]:
    numbers = [number for number, members in enumerate(plan.layers) if members]
    assume(numbers)
    number = draw(st.sampled_from(numbers))
    return number, plan.layers[number]


def with_layer(plan: Plan, number: int, members: tuple[Member, ...]) -> Plan:
    return replace(plan, layers=(*plan.layers[:number], members, *plan.layers[number + 1 :]))


def with_member(
    draw: st.DrawFn, plan: Plan, kinds: tuple[type[Member], ...], change: Callable[[Any], Member]
) -> Plan:
    """Change one member that is of these kinds."""
    places = [
        (number, index)
        for number, members in enumerate(plan.layers)
        for index, member in enumerate(members)
        if isinstance(member, kinds)
    ]
    assume(places)
    number, index = draw(st.sampled_from(places))
    members = plan.layers[number]
    changed = (*members[:index], change(members[index]), *members[index + 1 :])
    return with_layer(plan, number, changed)


def with_mode(draw: st.DrawFn, plan: Plan, change: Callable[[int], int]) -> Plan:
    """Change the mode of one file or folder."""

    def changed(member: File | Directory) -> Member:
        return replace(member, mode=change(member.mode))

    return with_member(draw, plan, (File, Directory), changed)


def with_content(draw: st.DrawFn, plan: Plan, change: Callable[[bytes], bytes]) -> Plan:
    """Change the content of one file."""

    def changed(file: File) -> File:
        content = file.content.encode() if isinstance(file.content, str) else file.content
        return replace(file, content=change(content))

    return with_member(draw, plan, (File,), changed)


def paths(plan: Plan) -> st.SearchStrategy[str]:
    found = {m.path for members in plan.layers for m in members if not isinstance(m, tuple)}
    return st.sampled_from(sorted(found | {"run", "app", "bin/sh"}))


def check(image: Image, folder: Path, function: Function = ON_HOST) -> Report | None:
    """Check; None where check says that it cannot."""
    try:
        return check_image(
            parse_reference(image.reference),
            function,
            cache=LayerCache(folder / "layers"),
            progress=Silent(),
        )
    except ImageReadError:
        return None


def started(image: Image) -> Outcome:
    command, workdir, env = start_of(image, ON_HOST)
    happened = start(image, command, workdir=workdir, env=env)
    if "applet not found" in happened.output:
        return Outcome(
            ""
        )  # It started; that it knows itself by other names only is its own affair.
    return outcome(happened)


@pytest.mark.parametrize("plan", GOOD)
def test_what_is_changed_is_good_before(plan: Plan, tmp_path: Path) -> None:
    report = check(plan.write(tmp_path / "image"), tmp_path)

    assert report is not None
    assert report.findings == ()


@pytest.mark.proof
@SLOW
@given(plan=mutated())
def test_what_is_said_of_a_changed_image_is_what_happens(plan: Plan) -> None:
    with TemporaryDirectory() as folder:
        image = plan.write(Path(folder) / "image")
        report = check(image, Path(folder))
        assert report is not None
        rules = {rule for rule, severity in findings_of(report).items() if severity == "error"}
        event(" ".join(sorted(rules)) or "no error")
        if any(rule[0] not in "CDE" for rule in rules):
            return  # It never gets as far as a start.
        if any(f.rule == "C7" and f.error_type == "Runtime.ExitError" for f in report.findings):
            return  # A script that its interpreter may not read, and some here do not try to.
        predicted, happened = prediction(report), started(image)

        assert predicted.agrees_with(happened), f"{predicted}, but {happened}: {report.findings}"


PROGRAMS = {"/run": tiny_elf(interpreter="/lib/ld.so"), "/lib/ld.so": PROGRAM}
# e_machine, e_phoff, e_phentsize, e_phnum
_FIELDS = [18, 19, 32, 33, 34, 39, 40, 54, 55, 56, 57]
# Of the program itself also class, byte order and version, which the kernel does not look at,
# e_type, and the program headers with the place of the loader's name.
PLACES = {"/run": [*range(4, 18), *_FIELDS, *range(64, 64 + 2 * 56)], "/lib/ld.so": _FIELDS}


@pytest.mark.proof
@SLOW
@given(data=st.data(), damaged=st.sampled_from(sorted(PROGRAMS)))
def test_damaged_programs_fail_with_the_errno_that_is_told(
    data: st.DataObject, damaged: str
) -> None:
    content = bytearray(PROGRAMS[damaged])
    for place in data.draw(st.lists(st.sampled_from(PLACES[damaged]), max_size=2)):
        content[place] = data.draw(st.integers(0, 255) | st.integers(0, 8))
    length = data.draw(st.none() | st.integers(0, len(content)))
    files = PROGRAMS | {damaged: bytes(content[:length])}
    members = [File(path.lstrip("/"), data, 0o755) for path, data in files.items()]
    with TemporaryDirectory() as folder:
        image = Plan(((Directory("lib"), *members),)).write(Path(folder) / "image")
        report = check(image, Path(folder))
        assert report is not None
        predicted, happened = prediction(report), started(image)
        event(f"{predicted.error_type} {predicted.errno}")

        # What is read into memory and how, check does not look at: it may crash, once started.
        assert predicted.errno == happened.errno, f"{predicted}, but {happened}: {report.findings}"


@FAST
@given(
    what=st.sampled_from(["manifest", "config", "layer", "index.json"]),
    places=st.lists(st.integers(0, 4000), min_size=1, max_size=4),
    new=st.binary(max_size=3),
    is_named_right=st.booleans(),
)
def test_damaged_bytes_are_reported_and_nothing_crashes(
    what: str, places: list[int], new: bytes, is_named_right: bool
) -> None:
    with TemporaryDirectory() as folder:
        image = GOOD[2].write(Path(folder) / "image")
        damage(image, what, lambda content: _changed(content, places, new), is_named_right)

        report = check(image, Path(folder))

        if report and what != "index.json" and not is_named_right:
            assert findings_of(report).get("B9") == "error"


@FAST
@given(
    changes=st.lists(
        st.sampled_from(
            [
                (rb'"(layers|config|mediaType|digest|rootfs|diff_ids|Entrypoint|os)"', b'"x"'),
                (rb"\[", b"{"),
                (rb"\[[^\[\]]*\]", b"[]"),
                (rb"\[[^\[\]]*\]", b"null"),
                (rb"\[[^\[\]]*\]", b"[null]"),
                (rb"\[[^\[\]]*\]", b"[[1]]"),
                (rb"sha256:[0-9a-f]{64}", b"sha256:../../x"),
                (rb"sha256:[0-9a-f]{64}", b""),
                (rb'"size": [0-9]+', b'"size": -1'),
                (rb'"size": [0-9]+', b'"size": 99999999999999999999'),
                (rb'"(linux|amd64|/run|/)"', rb'"\\u0000"'),
                (rb'"(linux|amd64|/run|/)"', rb'"\\ud800"'),
                (rb'"(linux|amd64|/run|/)"', b"7"),
                (rb"\{[^{}]*\}", b"{}"),
                (rb"\{[^{}]*\}", b"null"),
                (rb"^\{", b'{"subject": {}, '),
                (rb"^\{", b'{"manifests": [], '),
            ]
        ),
        min_size=1,
        max_size=3,
    ),
    what=st.sampled_from(["manifest", "config"]),
)
def test_documents_of_any_shape_crash_nothing(
    changes: list[tuple[bytes, bytes]], what: str
) -> None:
    def change(content: bytes) -> bytes:
        for pattern, new in changes:
            content = re.sub(pattern, new, content, count=2)
        return content

    with TemporaryDirectory() as folder:
        image = GOOD[2].write(Path(folder) / "image")
        damage(image, what, change, is_named_right=True)

        check(image, Path(folder))


@FAST
@given(data=st.data())
def test_a_layer_of_another_media_type_or_cut_off_is_refused(data: st.DataObject) -> None:
    layer = layer_of(run(PROGRAM), compression=data.draw(st.sampled_from(["gzip", "none", "zstd"])))
    media_type = data.draw(
        st.sampled_from([*GZIP_LAYER_TYPES, layer.media_type, "", "application/x", "text/html"])
    )
    end = data.draw(st.none() | st.integers(0, len(layer.blob) - 1))
    blob = layer.blob[:end]
    changed = replace(
        layer, media_type=media_type, blob=blob, digest=digest_of(blob), size=len(blob)
    )
    with TemporaryDirectory() as folder:
        image = GOOD[0].write_with(Path(folder) / "image", [changed])

        report = check(image, Path(folder))

        assert report is not None
        is_fine = layer.blob.startswith(b"\x1f\x8b") and media_type in GZIP_LAYER_TYPES
        assert report.has_errors is not (is_fine and end is None)


SOURCE = b"""from __future__ import annotations
import json, os.path as p
from . import other
try:
    import simplejson
except ImportError:
    simplejson = None
class A(dict):
    import time
    async def method(self, *a, b=1, **c) -> str: return f"{a!r:>{b}} {c['x']}"
def handler(event, context):
    with open("x") as f, p: yield from (x := [y for y in f if y])
    return lambda: (yield)
"""


@FAST
@given(
    places=st.lists(st.integers(0, len(SOURCE)), min_size=1, max_size=3),
    new=st.binary(max_size=2) | st.sampled_from([b"\r", b"\0", b"(" * 300, b"\xef\xbb\xbf", b"\\"]),
    handler=st.sampled_from(["app.handler", "app.A.x", "..", "app..handler", "a/b.c", "\0.x", "."]),
)
def test_damaged_python_is_told_from_good(places: list[int], new: bytes, handler: str) -> None:
    source = _changed(SOURCE, places, new)
    python = (
        Directory("var/lang/bin"),
        File("var/lang/bin/python3.11", PROGRAM, 0o755),
        Directory("bin"),
        File("bin/sh", PROGRAM, 0o755),
        File("lambda-entrypoint.sh", ENTRYPOINT, 0o755),
        File("var/runtime/bootstrap", PROGRAM, 0o755),
        Directory("var/task"),
        File("var/task/app.py", source),
        File("var/task/other.py", source),
    )
    plan = Plan((python,), "/lambda-entrypoint.sh", "/var/task")
    with TemporaryDirectory() as folder:
        image = plan.write(Path(folder) / "image")
        report = check(image, Path(folder), Function(ON_HOST.architecture, command=(handler,)))

    assert report is not None
    if handler == "app.handler":
        event("valid" if _compiles(source) else "invalid")
        assert ("E4" in findings_of(report)) is not _compiles(source)


def damage(image: Image, what: str, change: Callable[[bytes], bytes], is_named_right: bool) -> None:
    """Change a document or layer of an image, and its digest where others name it."""
    if what == "index.json":
        path = image.folder / what
        path.write_bytes(change(path.read_bytes()))
        return
    manifest = image.blob(image.digest).read_bytes()
    digests = re.findall(rb"sha256:[0-9a-f]{64}", manifest)
    digest = {
        "manifest": image.digest,
        "config": digests[0].decode(),
        "layer": digests[-1].decode(),
    }
    path = image.blob(digest[what])
    content = path.read_bytes()
    changed = change(content)
    assume(changed != content)
    if not is_named_right:
        path.write_bytes(changed)
    elif what == "manifest":
        rewritten(image, changed)
    else:
        image.blob(digest_of(changed)).write_bytes(changed)
        new = manifest.replace(digest[what].encode(), digest_of(changed).encode())
        new = re.sub(
            rb'("digest": "%s", "size": )[0-9]+' % digest_of(changed).encode(),
            rb"\g<1>%d" % len(changed),
            new,
        )
        rewritten(image, new)


def _changed(content: bytes, places: list[int], new: bytes) -> bytes:
    """Put ``new`` in the place of a byte, here and there."""
    for place in places:
        at = place % (len(content) + 1)
        content = content[:at] + new + content[at + 1 :]
    return content


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "app.py", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    except ValueError:
        assume(False)  # CPython's own slip over some bytes that are not UTF-8
    return True
