"""Programs and libraries of this machine, in images that lack some: ld.so itself is the judge."""

import os
import posixpath
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.start.dynamic_loader import missing_libraries
from tests.support.imagecheck.images import File, Member, Symlink, layer_of, write_image
from tests.support.imagecheck.programs import of_other_cpu
from tests.support.imagecheck.reading import files_of, learned
from tests.support.imagecheck.starting import unpack
from tests.support.imagecheck.tools import run, tool

LS = Path("/bin/ls")
# Lists what would be loaded, but runs nothing: https://man7.org/linux/man-pages/man8/ld.so.8.html
TRACE = """
import os, sys
os.chroot(sys.argv[1])
os.chdir(os.path.dirname(sys.argv[2]))
os.execve(sys.argv[2], sys.argv[2:], {**dict(v.split("=", 1) for v in sys.argv[3:]),
                                      "LD_TRACE_LOADED_OBJECTS": "1"})
"""


@cache
def libraries(program: Path) -> Mapping[str, Path]:
    """The libraries that the program gets here, and its loader, by their names."""
    paths = re.findall(r"(/\S+) \(0x", run(["ldd", str(program)]))
    return {Path(path).name: Path(path) for path in paths}


def image_of(program: Path, *without: str) -> list[Member]:
    found = [path for name, path in libraries(program).items() if name not in without]
    return [File(str(path)[1:], path.read_bytes(), 0o755) for path in (program, *found)]


def judged(folder: Path, members: Sequence[Member], program: str, *variables: str) -> set[str]:
    """Ask ld.so what the program lacks."""
    rootfs = unpack(write_image(folder / "image", [layer_of(*members)]), folder / "rootfs")
    command = [sys.executable, "-I", "-S", "-c", TRACE, str(rootfs), program, *variables]
    if os.geteuid() != 0:
        command = [tool("unshare"), "--user", "--map-root-user", *command]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert "=>" in printed or "(0x" in printed, printed
    return set(re.findall(r"(\S+) => not found", printed))


def found_missing(
    members: Sequence[Member], program: str, environment: Mapping[str, str] | None = None
) -> dict[str, bool]:
    """What we say that it lacks, and whether for certain."""
    layer = layer_of(*members)
    files = FileSystem([learned(layer)])
    node = files.find(program)
    assert node

    def contents(nodes: Iterable[Node]) -> Mapping[str, bytes]:
        paths = {node.entry.path: node.path for node in nodes}
        return {paths[path]: content for path, content in files_of(layer, *paths).items()}

    return {
        match[1]: lack.is_certain
        for lack in missing_libraries(
            files, node, environment or {}, contents, workdir=posixpath.dirname(program)
        )
        if (match := re.search(r" needs (\S+?)(?:,|$)", lack.text))
    }


def test_nothing_is_missing(tmp_path: Path) -> None:
    members = image_of(LS)

    assert found_missing(members, "/bin/ls") == {}
    assert judged(tmp_path, members, "/bin/ls") == set()


@pytest.mark.parametrize("name", [n for n in libraries(LS) if not n.startswith("ld-")])
def test_one_library_is_missing(tmp_path: Path, name: str) -> None:
    members = image_of(LS, name)

    assert found_missing(members, "/bin/ls") == {name: True}
    assert judged(tmp_path, members, "/bin/ls") == {name}


@pytest.mark.proof
def test_a_library_that_only_a_variable_finds(tmp_path: Path) -> None:
    name = next(name for name in libraries(LS) if "selinux" in name)
    library = File(f"elsewhere/{name}", libraries(LS)[name].read_bytes())
    members = [*image_of(LS, name), library]
    variable = {"LD_LIBRARY_PATH": "/nowhere:/elsewhere"}

    assert found_missing(members, "/bin/ls") == {name: True}
    assert judged(tmp_path / "1", members, "/bin/ls") == {name}
    assert found_missing(members, "/bin/ls", variable) == {}
    assert (
        judged(tmp_path / "2", members, "/bin/ls", "LD_LIBRARY_PATH=/nowhere:/elsewhere") == set()
    )


@pytest.mark.proof
@pytest.mark.parametrize("folders", ["more", "/nowhere:./more", "/nowhere:", ":/nowhere", ";"])
def test_folders_that_count_from_the_working_directory(tmp_path: Path, folders: str) -> None:
    name = next(name for name in libraries(LS) if "selinux" in name)
    place = "bin/more" if "more" in folders else "bin"
    library = File(f"{place}/{name}", libraries(LS)[name].read_bytes())
    members = [*image_of(LS, name), library]

    assert found_missing(members, "/bin/ls", {"LD_LIBRARY_PATH": folders}) == {}
    assert judged(tmp_path, members, "/bin/ls", f"LD_LIBRARY_PATH={folders}") == set()


@pytest.mark.proof
@pytest.mark.parametrize("preloaded", ["/more/{}", "/nowhere.so ../more/{}", "/etc/ld.so.preload"])
def test_a_library_that_is_loaded_before_it_is_needed(tmp_path: Path, preloaded: str) -> None:
    name = next(name for name in libraries(LS) if "selinux" in name)
    members = [*image_of(LS, name), File(f"more/{name}", libraries(LS)[name].read_bytes())]
    variable = {"LD_PRELOAD": preloaded.format(name)}
    if "{}" not in preloaded:
        members.append(File(preloaded[1:], f"/more/{name}\n"))
        variable = {}

    assert found_missing(members, "/bin/ls", variable) == {}
    given = (f"{name}={value}" for name, value in variable.items())
    assert judged(tmp_path, members, "/bin/ls", *given) == set()


@pytest.mark.parametrize("fault", ["another CPU", "a dangling link", "no library"])
def test_a_library_that_cannot_be_used(tmp_path: Path, fault: str) -> None:
    name = next(name for name in libraries(LS) if "pcre" in name)
    path = str(libraries(LS)[name])[1:]
    content = libraries(LS)[name].read_bytes()
    faults: dict[str, Member] = {
        "another CPU": File(path, of_other_cpu(content)),
        "a dangling link": Symlink(path, "nowhere"),
        "no library": File(path, "text"),
    }
    members = [*image_of(LS, name), faults[fault]]

    assert found_missing(members, "/bin/ls") == {name: True}
    if fault == "no library":  # ld.so stops there, and in words of its own
        return
    assert judged(tmp_path, members, "/bin/ls") == {name}


@pytest.mark.proof
def test_libraries_through_links(tmp_path: Path) -> None:
    name = next(name for name in libraries(LS) if "selinux" in name)
    path = libraries(LS)[name]
    members = [
        *image_of(LS, name),
        File("real/it.so", path.read_bytes()),
        Symlink(str(path)[1:], "/real/it.so"),
    ]

    assert found_missing(members, "/bin/ls") == {}
    assert judged(tmp_path, members, "/bin/ls") == set()


@pytest.mark.proof
def test_a_search_path_of_its_own(tmp_path: Path) -> None:
    """This Python is linked to look in ``$ORIGIN/../lib`` or the like, if it has a library."""
    program = Path(sys.executable).resolve()
    members = image_of(program)

    assert found_missing(members, str(program)) == {}
    assert judged(tmp_path, members, str(program)) == set()


def test_a_static_program_needs_nothing() -> None:
    busybox = Path("/bin/busybox")

    assert found_missing([File("bin/busybox", busybox.read_bytes(), 0o755)], "/bin/busybox") == {}


@pytest.mark.proof
def test_what_ldconfig_has_seen_is_found(tmp_path: Path) -> None:
    """A library in /usr/local/lib is there for the loader only once ldconfig has run."""
    name = next(name for name in libraries(LS) if "selinux" in name)
    members = [*image_of(LS, name), File(f"usr/local/lib/{name}", libraries(LS)[name].read_bytes())]
    rootfs = unpack(write_image(tmp_path / "image", [layer_of(*members)]), tmp_path / "rootfs")
    (rootfs / "etc").mkdir()
    (rootfs / "etc/ld.so.conf").write_text("/usr/local/lib\n")
    run(["/sbin/ldconfig", "-r", str(rootfs)])
    cache = File("etc/ld.so.cache", (rootfs / "etc/ld.so.cache").read_bytes())
    configured = File("etc/ld.so.conf", "/usr/local/lib\n")

    assert found_missing([*members, configured], "/bin/ls") == {name: True}
    assert judged(tmp_path / "1", [*members, configured], "/bin/ls") == {name}
    assert found_missing([*members, cache], "/bin/ls") == {}
    assert judged(tmp_path / "2", [*members, cache], "/bin/ls") == set()
