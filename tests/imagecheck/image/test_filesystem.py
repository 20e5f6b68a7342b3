"""Merging is what umoci makes of layers, and walking is what the kernel does."""

import errno
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from imagecheck.image import filesystem
from imagecheck.image.errors import ImageReadError
from imagecheck.image.filesystem import FileSystem, PathError
from imagecheck.image.layer import FileKind
from lambda_runtime.image_sandbox import ImageSandboxError
from lambda_runtime.image_sandbox.launch import LAMBDA_GID, LAMBDA_UID
from tests.support.imagecheck.images import (
    Directory,
    File,
    HardLink,
    Member,
    Opaque,
    Symlink,
    Whiteout,
    layer_of,
    write_image,
)
from tests.support.imagecheck.reading import learned, merged
from tests.support.imagecheck.starting import unpack
from tests.support.imagecheck.tools import tool

# --- merging ------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TARGETS = st.sampled_from(["a", "b", "/a", "/b/c", "..", "../b", "nowhere", "/nowhere/c"])
MODES = st.sampled_from([0o755, 0o711, 0o700, 0o4755])
SHARED = st.sampled_from(["a/a", "a/b", "b/c", "c/c"])
ADDED = (
    st.builds(File, PATHS, st.text("xyz", min_size=1, max_size=20), MODES)
    | st.builds(Directory, PATHS, MODES)
    | st.builds(Symlink, PATHS, TARGETS)
    | st.builds(HardLink, PATHS, SHARED)
)
REMOVED = st.builds(Whiteout, PATHS) | st.builds(Opaque, PATHS)
LAYERS = st.lists(st.lists(ADDED, max_size=5) | REMOVED.map(lambda member: [member]), max_size=5)
LOWEST = layer_of(
    File("a/a", "first", 0o755),
    File("a/b", "second", 0o711),
    Directory("b", 0o700),
    File("b/c", "third", 0o4755),
    Symlink("c", "b"),
)


def tree_of(files: FileSystem) -> dict[str, tuple[str, ...]]:
    found = {}
    for node in files.below("/"):
        entry = node.entry
        what: tuple[str, ...] = (str(entry.kind),)
        if entry.kind is FileKind.SYMLINK:
            what += (entry.target,)
        else:
            what += (f"{entry.mode:o}", entry.head.decode())
        found[node.path] = what
    return found


def tree_on_disk(rootfs: Path) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for path in rootfs.rglob("*"):
        mode = path.lstat().st_mode
        name = f"/{path.relative_to(rootfs)}"
        if stat.S_ISLNK(mode):
            found[name] = (FileKind.SYMLINK, str(path.readlink()))
        elif stat.S_ISDIR(mode):
            found[name] = (FileKind.DIRECTORY, f"{stat.S_IMODE(mode):o}", "")
        else:
            found[name] = (FileKind.FILE, f"{stat.S_IMODE(mode):o}", path.read_text())
    return found


@pytest.mark.proof
@settings(max_examples=40, deadline=None)
@given(LAYERS)
def test_layers_add_up_as_umoci_adds_them_up(members: list[list[Member]]) -> None:
    """What one layer both adds and removes has tests of its own: order counts for umoci.

    umoci refuses to remove what is below links that go in circles: nothing is there anyway. It
    writes targets of symlinks shorter (``./a`` is ``a``), so there are none here.
    """
    made = [LOWEST, *(layer_of(*layer, parents=False) for layer in members)]
    files = FileSystem([learned(layer) for layer in made])
    removes = any(isinstance(member, Whiteout | Opaque) for layer in members for member in layer)
    with tempfile.TemporaryDirectory() as folder:
        image = write_image(Path(folder, "image"), made)
        try:
            rootfs = unpack(image, Path(folder, "rootfs"))
        except ImageSandboxError as refusal:
            note(str(refusal))
            assert files.broken or removes
        else:
            assert not files.broken
            assert tree_of(files) == tree_on_disk(rootfs)


BASE = (
    File("app/a", "1"),
    File("app/sub/b", "2"),
    File("gone/c", "3"),
    Symlink("link", "app"),
    File("kept", "4", 0o604),
)
# What a layer both adds and removes, in the order of overlayfs, which builders write.
ADDED_AND_REMOVED = {
    "a folder emptied and filled again": (Directory("app"), Opaque("app"), File("app/new", "5")),
    "the marker comes last": (Directory("app"), File("app/new", "5"), Opaque("app")),
    "a folder in the place of a link": (Directory("link"), Opaque("link"), File("link/new", "5")),
    "a whiteout in the place of a link": (Directory("link"), Whiteout("link/a")),
    "a file removed and added": (Whiteout("kept"), File("kept", "5", 0o640)),
    "a file added and removed": (File("kept", "5", 0o640), Whiteout("kept")),
    "a folder in the place of a file": (Directory("kept", 0o711), File("kept/new", "5")),
    "a file in the place of a folder": (File("app", "5"),),
    "a link in the place of a folder": (Symlink("app", "gone"),),
    "a folder by itself keeps its files": (Directory("app", 0o700),),
    "removed below a removed one": (Whiteout("app"), Whiteout("gone/c")),
    "the root emptied": (Opaque(""), File("new", "5")),
    "a hard link to a file below": (HardLink("app/same", "/kept"),),
    "a hard link in the place of its file": (HardLink("kept", "app/a"),),
    "a hard link to a link": (HardLink("same", "link"),),
    "a hard link over a link": (HardLink("same", "link/sub/b"),),
    "a file through a link": (File("link/new", "5"),),
    "a file where a link leads to nothing": (Symlink("to", "made/here"), File("to/new", "5")),
    "no folder on the way": (File("x/y/new", "5"),),
    "above the root": (File("../../app/a", "5", 0o600),),
}


@pytest.mark.parametrize("added", ADDED_AND_REMOVED.values(), ids=ADDED_AND_REMOVED.keys())
def test_what_one_layer_adds_and_removes(tmp_path: Path, added: tuple[Member, ...]) -> None:
    made = [layer_of(*BASE), layer_of(*added, parents=False)]

    files = FileSystem([learned(layer) for layer in made])

    rootfs = unpack(write_image(tmp_path / "image", made), tmp_path / "rootfs")
    on_disk = tree_on_disk(rootfs)
    # Of files that nobody may execute, no content is kept.
    assert {path: what[:2] for path, what in tree_of(files).items()} == {
        path: what[:2] for path, what in on_disk.items()
    }
    assert not files.broken


@pytest.mark.parametrize(
    "added",
    [
        HardLink("same", "nowhere"),
        HardLink("same", "app"),
        HardLink("app", "app/a"),
        HardLink("same", "same"),
        File("kept/below", "5"),
        Symlink("kept/below", "5"),
        File("n" * 256, "5"),
        File("n" * 256 + "/x", "5"),
    ],
)
def test_what_cannot_be_unpacked(tmp_path: Path, added: Member) -> None:
    made = [layer_of(*BASE), layer_of(added, parents=False)]

    files = FileSystem([learned(layer) for layer in made])

    assert files.broken
    with pytest.raises(ImageSandboxError, match="unpack"):
        unpack(write_image(tmp_path / "image", made), tmp_path / "rootfs")


def test_a_hard_link_shares_the_content_of_the_layer_that_has_it() -> None:
    files = merged(BASE, (HardLink("same", "app/a"),), (File("app/a", "other", 0o755),))

    shared, changed = files.find("/same"), files.find("/app/a")

    assert shared and (shared.layer, shared.entry.path, shared.entry.mode) == (0, "/app/a", 0o644)
    assert changed and (changed.layer, changed.entry.mode) == (2, 0o755)


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = learned(layer_of(File("a/b/c/d")))

    FileSystem([layer])
    monkeypatch.setattr(filesystem, "MAX_LISTING_BYTES", 1000)
    with pytest.raises(ImageReadError, match="more files"):
        FileSystem([layer])


def test_folders_that_are_not_listed_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of 4 KiB can have 2000 of them."""
    layer = learned(layer_of(File("d/" * 1000 + "file"), parents=False))

    monkeypatch.setattr(filesystem, "MAX_LISTING_BYTES", 1_000_000)
    with pytest.raises(ImageReadError, match="more files"):
        FileSystem([layer])


# --- walking ------------------------------------------------------------------------------------

LOOK = """
import ctypes, json, os, sys
names = json.loads(sys.stdin.readline())
os.chroot(sys.argv[1])
os.chdir("/")
os.setgroups([])
os.setgid(int(sys.argv[3]))
os.setuid(int(sys.argv[2]))
found = []
for name in names:
    try:
        status = os.stat(name)
        found.append([0, oct(status.st_mode)])
    except OSError as error:
        found.append([error.errno, ""])
print(json.dumps(found))
"""


def kernel_says(rootfs: Path, names: list[str]) -> list[tuple[int, str]]:
    """Look at paths as Lambda's user, with ``rootfs`` as the root."""
    command = [sys.executable, "-I", "-S", "-c", LOOK, str(rootfs)]
    if os.geteuid() != 0:
        command = [tool("unshare"), "--user", "--map-auto", "--map-root-user", *command]
    done = subprocess.run(
        [*command, str(LAMBDA_UID), str(LAMBDA_GID)],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        check=True,
    )
    return [(number, mode) for number, mode in json.loads(done.stdout)]


def we_say(files: FileSystem, names: list[str]) -> Iterator[tuple[int, str]]:
    kinds = {FileKind.DIRECTORY: stat.S_IFDIR, FileKind.FILE: stat.S_IFREG}
    for name in names:
        try:
            entry = files.resolve(name).node.entry
        except PathError as error:
            yield error.errno, ""
        else:
            yield 0, oct(kinds[entry.kind] | entry.mode)


STEPS = st.sampled_from(["a", "b", "c", "l", "m", ".", "..", ""])
WALKS = st.lists(STEPS, min_size=1, max_size=6).map(lambda steps: "/" + "/".join(steps))
LINKS = st.lists(STEPS, min_size=1, max_size=3).map("/".join).filter(bool)
TREES = st.lists(
    st.builds(File, PATHS, st.just(""), st.sampled_from([0o755, 0o600]))
    | st.builds(Directory, PATHS, st.sampled_from([0o755, 0o700, 0o711, 0o744]))
    | st.builds(Symlink, st.sampled_from(["l", "m", "a/l", "b/m", "a/b/l"]), LINKS),
    max_size=12,
)


@pytest.mark.proof
@settings(max_examples=40, deadline=None)
@given(TREES, st.lists(WALKS, min_size=20, max_size=20))
def test_paths_are_walked_as_the_kernel_walks_them(members: list[Member], walks: list[str]) -> None:
    layer = layer_of(*members, parents=False)
    files = FileSystem([learned(layer)])
    with tempfile.TemporaryDirectory() as folder:
        rootfs = Path(folder, "rootfs")
        write_tree(files, rootfs)

        assert list(we_say(files, walks)) == kernel_says(rootfs, walks)


def write_tree(files: FileSystem, rootfs: Path) -> None:
    rootfs.mkdir()
    rootfs.chmod(0o755)
    for node in files.below("/"):
        path = rootfs / node.path[1:]
        match node.kind:
            case FileKind.DIRECTORY:
                path.mkdir()
            case FileKind.SYMLINK:
                path.symlink_to(node.entry.target)
            case _:
                path.touch()
        if node.kind is not FileKind.SYMLINK:
            path.chmod(node.entry.mode)


def test_chains_of_links_end_where_the_kernel_ends_them(tmp_path: Path) -> None:
    chain = [Symlink(f"l{number}", f"l{number + 1}") for number in range(41)]
    files = merged((*chain, File("l41", ""), Symlink("loop", "loop"), Symlink("up", "../../l41")))
    names = ["/l0", "/l1", "/l2", "/loop", "/loop/x", "/up", "/l1/"]
    rootfs = tmp_path / "rootfs"
    write_tree(files, rootfs)

    found = list(we_say(files, names))

    assert [number for number, _ in found] == [
        errno.ELOOP, 0, 0, errno.ELOOP, errno.ELOOP, 0, errno.ENOTDIR,
    ]  # fmt: skip
    assert found == kernel_says(rootfs, names)


@pytest.mark.parametrize(
    "path",
    ["", "/" + "x" * 255, "/" + "x" * 256, "/" + "é" * 128, "/x" * 2047, "/x" * 2048, "/" * 4096,
     "/a/" + "/" * 4092, "/a/" + "/" * 4093, "/closed/.", "/closed/", "/closed", "/closed/..",
     "/a/..", "/a/.", "/closed/nowhere"],
)  # fmt: skip
def test_limits_and_corners(tmp_path: Path, path: str) -> None:
    files = merged((File("a/b", ""), Directory("closed", 0o700)))
    rootfs = tmp_path / "rootfs"
    write_tree(files, rootfs)

    assert list(we_say(files, [path])) == kernel_says(rootfs, [path])


def test_relative_paths_count_from_the_working_directory() -> None:
    files = merged((File("app/run", "", 0o755), Symlink("link", "app")))

    assert files.resolve("run", "/app").node.path == "/app/run"
    assert files.resolve("./run", "/link").node.path == "/app/run"
    assert files.resolve("/app/run", "/nowhere").node.path == "/app/run"
    with pytest.raises(PathError) as missing:
        files.resolve("run", "/")
    assert (missing.value.errno, missing.value.at) == (errno.ENOENT, "/run")


def test_a_name_with_a_zero_byte_or_of_no_text() -> None:
    files = merged((File("a", ""),))

    for name, number in (("/a\0b", errno.EINVAL), ("/a\udcff", errno.ENOENT)):
        with pytest.raises(PathError) as missing:
            files.resolve(name)
        assert missing.value.errno == number


def test_the_links_on_the_way_are_told() -> None:
    files = merged((File("app/run", ""), Symlink("one", "two"), Symlink("two", "app")))

    resolved = files.resolve("/one/run")

    assert [link.path for link in resolved.links] == ["/one", "/two"]
    link = files.find_link("/one")
    assert link and link.kind is FileKind.SYMLINK
    assert files.find_link("/nowhere/x") is None
    assert files.find("/nowhere") is None


def test_below_goes_by_name_and_follows_no_links() -> None:
    files = merged((File("b/2", ""), File("b/1", ""), Symlink("a/loop", ".."), Directory("c")))

    assert [node.path for node in files.below("/")] == [
        "/a", "/a/loop", "/b", "/b/1", "/b/2", "/c",
    ]  # fmt: skip
    assert [node.path for node in files.below("/b")] == ["/b/1", "/b/2"]
    assert list(files.below("/nowhere")) == []
