"""`release base`: a newer base in a real registry, and the report on it."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imagecheck.image.manifest import digest_of
from local.docker_registry import running_registry
from tests.support.cdk_context import CDK_JSON
from tests.support.imagecheck.images import (
    Directory,
    File,
    Image,
    Layer,
    Member,
    Symlink,
    Whiteout,
    layer_of,
    write_image,
    write_index,
)
from tests.support.imagecheck.programs import tiny_elf
from tests.support.imagecheck.tools import run as run_tool
from tests.support.imagecheck.tools import tool
from tests.support.release.commanding import Run

SYSTEM = layer_of(
    Directory("tmp", 0o777), File("bin/sh", tiny_elf(), 0o755), File("etc/os-release", "2023\n")
)
OTHER_CPU = layer_of(File("bin/sh", "for the other CPU", 0o755))
PACKAGES = "var/lang/lib/python3.13/site-packages"
PYTHON_HEADER = '#define PY_MAJOR_VERSION 3\n#define PY_VERSION      "3.13.{}"\n'
DOCKERFILE = """# Comment with {digest}
ARG BASE={name}@{digest}\r
FROM ${{BASE}}
COPY rooms/ ./rooms/\t
CMD ["rooms.main.handler"]"""


def runtime(patch: int = 1, boto3: str = "1.35.0", *more: Member) -> Layer:
    """What AWS puts over the system."""
    return layer_of(
        File("lambda-entrypoint.sh", "#!/bin/sh\nexec /var/runtime/bootstrap\n", 0o755),
        File("var/lang/bin/python3.13", tiny_elf(), 0o755),
        File("var/lang/include/python3.13/patchlevel.h", PYTHON_HEADER.format(patch)),
        File(f"{PACKAGES}/boto3-{boto3}.dist-info/METADATA", "Name: boto3\n"),
        File(f"{PACKAGES}/awslambdaric-3.0.2.dist-info/METADATA", "Name: awslambdaric\n"),
        File("var/runtime/bootstrap", "#!/bin/sh\n", 0o755),
        *more,
    )


class Registry:
    """A real registry, and a project whose Dockerfile names a base in it."""

    def __init__(self, host: str, folder: Path) -> None:
        self._host = host
        self._folder = folder
        # What one test pushes, no other finds.
        self.name = f"{host}/of-{digest_of(str(folder).encode())[7:19]}:3.13"

    def image(
        self, *layers: Layer, architecture: str = "arm64", fresh: bool = True, **more: Any
    ) -> Image:
        if fresh:
            shutil.rmtree(self.layout, ignore_errors=True)
        options = {"entrypoint": ["/lambda-entrypoint.sh"], "env": {"TZ": "UTC"}, **more}
        return write_image(
            self.layout, layers or [SYSTEM, runtime()], architecture=architecture, **options
        )

    def index(self, *images: Image) -> Image:
        other = write_image(self.layout, [OTHER_CPU], architecture="amd64")
        return write_index(self.layout, *images, other)

    def push(self, image: Image) -> str:
        """Let the tag be this, and return its digest."""
        copy = ["copy", "--quiet", "--all", "--insecure-policy", "--dest-tls-verify=false"]
        run_tool([tool("skopeo"), *copy, image.reference, f"docker://{self.name}"])
        return image.digest

    def pin(self, digest: str) -> Path:
        path = self._folder / "project/lambda_src/Dockerfile"
        path.write_bytes(DOCKERFILE.format(name=self.name, digest=digest).encode())
        path.chmod(0o640)
        return path

    @property
    def layout(self) -> Path:
        return self._folder / "layout"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture
def registry(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    project = tmp_path / "project"
    (project / "lambda_src").mkdir(parents=True)
    write_project(project, {"dev": "arm64", "prd": "arm64"})
    monkeypatch.chdir(project)
    return Registry(host, tmp_path)


def write_project(folder: Path, stages: dict[str, str]) -> None:
    context = json.loads(json.dumps(CDK_JSON))
    one = context["context"]["stages"]["dev"]
    context["context"]["stages"] = {
        name: {**one, "architecture": architecture} for name, architecture in stages.items()
    }
    (folder / "cdk.json").write_text(json.dumps(context))


def answer(run: Run, *options: str) -> dict[str, Any]:
    status, out, err = run("base", "--json", *options)
    assert status == 0, err
    (found,) = json.loads(out)["bases"]
    return dict(found)


def test_the_tag_is_what_is_pinned(registry: Registry, run: Run) -> None:
    digest = registry.push(registry.image())
    dockerfile = registry.pin(digest)
    before = dockerfile.read_bytes()

    status, out, _ = run("base", "--write")

    assert (status, out) == (0, f"{registry.name} is still {digest}: there is no newer image\n")
    assert dockerfile.read_bytes() == before


def test_the_tag_moved_to_another_image(registry: Registry, run: Run) -> None:
    old = registry.push(
        registry.image(SYSTEM, runtime(1), config_changes={"created": "2026-01-01T00:00:00Z"})
    )
    dockerfile = registry.pin(old)
    before = dockerfile.read_bytes()
    changed = runtime(2, "1.36.0", File("etc/os-release", "2024.1\n"), Whiteout("tmp"))
    new = registry.push(
        registry.image(
            SYSTEM,
            changed,
            entrypoint=["/start.sh"],
            env={"TZ": ":UTC", "SECRET": "hunter2"},
            labels={"org": "x"},
            config_changes={"created": None},
        )
    )

    status, out, _ = run("base")

    assert status == 0
    lines = out.splitlines()
    assert lines[:10] == [
        f"A newer base for arm64: `{registry.name}`",
        "",
        "| | pinned | now |",
        "|---|---|---|",
        f"| digest | `{old}` | `{new}` |",
        "| created | `2026-01-01T00:00:00Z` | - |",
        "| size | 0.0 MiB | 0.0 MiB |",
        "| **Python** | `3.13.1` | `3.13.2` |",
        "| runtime client (awslambdaric) | `3.0.2` | `3.0.2` |",
        "| **boto3** | `1.35.0` | `1.36.0` |",
    ]
    assert lines[11:] == [
        '- **ENTRYPOINT**: `["/lambda-entrypoint.sh"]` → `["/start.sh"]`',
        "- Variables: new `SECRET`; changed `TZ`",
        "- Labels: new `org`",
        "- Layers: 1 kept, 1 new",
        "- Files: 2 new, 1 changed (by size, mode or kind), 3 gone",
    ]
    assert "hunter2" not in out
    # It was only asked.
    assert dockerfile.read_bytes() == before


@pytest.mark.proof
def test_what_starts_the_function_is_another_one(registry: Registry, run: Run) -> None:
    registry.pin(registry.push(registry.image()))
    # Not to be seen by its size.
    script = File("lambda-entrypoint.sh", "#!/bin/sh\nexec /var/runtime/bootstrop\n", 0o755)
    registry.push(registry.image(SYSTEM, runtime(), layer_of(script)))

    changes = answer(run)["changes"]

    assert changes["scripts"] == ["/lambda-entrypoint.sh"]
    assert (changes["layersKept"], changes["layersNew"]) == (2, 1)
    assert (changes["config"], changes["variables"]) == (
        {},
        {"new": [], "changed": [], "gone": []},
    )


@pytest.mark.proof
def test_a_command_that_is_empty_is_as_none(registry: Registry, run: Run) -> None:
    registry.pin(registry.push(registry.image(cmd=[], workdir="")))
    registry.push(registry.image(cmd=None, workdir=None))
    found = answer(run)

    assert (found["newer"], found["changes"]["config"]) == (True, {})


@pytest.mark.proof
def test_the_dockerfile_gets_the_newer_digest_and_is_else_as_it_was(
    registry: Registry, run: Run
) -> None:
    old = registry.push(registry.image())
    dockerfile = registry.pin(old)
    before = dockerfile.read_bytes()
    new = registry.push(registry.image(SYSTEM, runtime(2)))

    found = answer(run, "--write")

    assert (found["newer"], found["written"]) == (True, True)
    assert (found["pinned"]["digest"], found["now"]["digest"]) == (old, new)
    lines = before.split(b"\n")
    lines[1] = lines[1].replace(old.encode(), new.encode())
    assert dockerfile.read_bytes() == b"\n".join(lines)
    assert dockerfile.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in dockerfile.parent.iterdir()] == ["Dockerfile"]
    # And then it is what the tag is.
    assert answer(run)["newer"] is False


@pytest.mark.proof
def test_a_pinned_child_is_compared_with_the_child_of_the_tags_index(
    registry: Registry, run: Run
) -> None:
    image = registry.image()
    registry.push(registry.index(image))
    dockerfile = registry.pin(image.digest)

    assert answer(run)["newer"] is False

    # The image for the other CPU is another one, and so is the index.
    more = write_image(
        registry.layout, [layer_of(File("x", "x"))], architecture="amd64", labels={"a": "b"}
    )
    registry.push(write_index(registry.layout, image, more))
    assert answer(run, "--write")["newer"] is False
    assert image.digest in dockerfile.read_text()

    newer = registry.image(SYSTEM, runtime(2))
    registry.push(registry.index(newer))
    assert answer(run, "--write")["now"]["digest"] == newer.digest
    assert f"BASE={registry.name}@{newer.digest}" in dockerfile.read_text()


@pytest.mark.proof
def test_a_pinned_index_becomes_the_newer_index(registry: Registry, run: Run) -> None:
    image = registry.image()
    old = registry.push(registry.index(image))
    dockerfile = registry.pin(old)
    newer = registry.image(SYSTEM, runtime(2))
    index = registry.push(registry.index(newer))

    status, out, _ = run("base", "--write")

    assert status == 0
    assert f"| digest | `{old}` | `{index}` |" in out
    assert f"| image for arm64 | `{image.digest}` | `{newer.digest}` |" in out
    assert f"BASE={registry.name}@{index}" in dockerfile.read_text()


@pytest.mark.proof
def test_a_new_index_with_the_same_image_is_nothing_newer(registry: Registry, run: Run) -> None:
    image = registry.image()
    old = registry.push(registry.index(image))
    dockerfile = registry.pin(old)
    more = write_image(registry.layout, [SYSTEM], architecture="amd64", labels={"a": "b"})
    index = registry.push(write_index(registry.layout, image, more))

    status, out, _ = run("base", "--write")

    assert status == 0
    assert out == (
        f"{registry.name} is still {old}: there is no newer image (the tag has a new index,"
        f" {index}, with the same image)\n"
    )
    assert old in dockerfile.read_text()


@pytest.mark.proof
def test_the_cpu_of_an_index_is_that_of_the_stages(registry: Registry, run: Run) -> None:
    registry.pin(registry.push(registry.index(registry.image())))
    write_project(Path.cwd(), {"dev": "x86_64"})

    assert answer(run)["architecture"] == "amd64"


def test_an_index_for_stages_of_two_cpus_is_refused(registry: Registry, run: Run) -> None:
    registry.pin(registry.push(registry.index(registry.image())))
    write_project(Path.cwd(), {"dev": "x86_64", "prd": "arm64"})
    status, _, err = run("base")

    assert status == 1
    assert "the Dockerfile pins an index, and the stages are for arm64 and x86_64" in err


@pytest.mark.proof
def test_an_image_of_its_own_says_its_cpu_whatever_the_stages_are(
    registry: Registry, run: Run
) -> None:
    image = registry.image()
    registry.push(registry.index(image))
    registry.pin(image.digest)
    write_project(Path.cwd(), {"dev": "x86_64"})

    found = answer(run)
    assert (found["architecture"], found["newer"]) == ("arm64", False)


@pytest.mark.proof
@pytest.mark.parametrize("as_index", [False, True])
def test_a_tag_that_is_for_another_cpu_now_is_refused(
    registry: Registry, run: Run, *, as_index: bool
) -> None:
    dockerfile = registry.pin(registry.push(registry.image()))
    before = dockerfile.read_bytes()
    other = registry.image(OTHER_CPU, architecture="amd64")
    registry.push(write_index(registry.layout, other) if as_index else other)
    status, _, err = run("base", "--write")

    assert status == 1
    assert "has no image for arm64 now" in err
    assert dockerfile.read_bytes() == before


def test_what_is_pinned_is_gone_from_the_registry(registry: Registry, run: Run) -> None:
    new = registry.push(registry.image())
    dockerfile = registry.pin("sha256:" + "0" * 64)
    status, out, _ = run("base", "--write")

    assert status == 0
    assert "| Python | - | `3.13.1` |" in out
    assert "The pinned image is no longer in its registry" in out
    assert new in dockerfile.read_text()


def test_a_tag_that_is_not_there_is_not_found_out(registry: Registry, run: Run) -> None:
    digest = registry.push(registry.image())
    dockerfile = registry.pin(digest)
    dockerfile.write_text(dockerfile.read_text().replace(":3.13@", ":3.14@"))
    status, _, err = run("base")

    assert status == 2
    assert f"the registry has no docker://{registry.name.replace('3.13', '3.14')}" in err


def test_a_registry_that_cannot_be_reached(
    registry: Registry, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagecheck.image.http.BACKOFF_SECONDS", ())
    dockerfile = registry.pin("sha256:" + "0" * 64)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        dockerfile.write_text(dockerfile.read_text().replace(registry.name, f"{host}/base:3.13"))
        status, out, err = run("base", "--write")

    assert (status, out) == (2, "")
    assert f"{host} cannot be read: no connection can be made" in err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ARG BASE=example.org/base@sha256:" + "0" * 64 + "\nFROM $BASE", "line 2: the base"
         f" example.org/base@sha256:{'0' * 64} has no tag"),
        ("FROM example.org/base:3.13", "line 1: the base example.org/base:3.13 has no digest"),
        ("FROM scratch", "so it has no base image"),
    ],
)  # fmt: skip
def test_a_base_that_is_not_named_by_both_is_refused(
    registry: Registry, run: Run, text: str, expected: str
) -> None:
    registry.pin("").write_text(text)
    status, _, err = run("base")

    assert status == 1
    assert expected in err


@pytest.mark.proof
def test_a_digest_in_two_lines_is_left_to_a_person(registry: Registry, run: Run) -> None:
    old = registry.push(registry.image())
    dockerfile = registry.pin(old)
    with dockerfile.open("a") as file:
        file.write(f"\nLABEL base={old}\n")
    before = dockerfile.read_bytes()
    registry.push(registry.image(SYSTEM, runtime(2)))
    status, _, err = run("base", "--write")

    assert status == 1
    assert "in 2 lines\nhint: write sha256:" in err
    assert dockerfile.read_bytes() == before
    assert [path.name for path in dockerfile.parent.iterdir()] == ["Dockerfile"]


@pytest.mark.proof
def test_names_in_an_image_are_no_markdown(registry: Registry, run: Run) -> None:
    registry.pin(registry.push(registry.image()))
    registry.push(registry.image(SYSTEM, runtime(), env={"A`|\n@everyone": "x", "TZ": "UTC"}))
    _, out, _ = run("base")

    assert "- Variables: new `A'\\|\\n@everyone`" in out


@pytest.mark.proof
def test_python_without_headers_and_glibc_are_known_by_their_files(
    registry: Registry, run: Run
) -> None:
    libc = Path("/lib/x86_64-linux-gnu/libc.so.6")
    libc = libc if libc.exists() else Path("/lib/aarch64-linux-gnu/libc.so.6")
    registry.pin(registry.push(registry.image()))
    registry.push(
        registry.image(
            layer_of(
                File("lambda-entrypoint.sh", "#!/bin/sh\n", 0o755),
                File("var/lang/bin/python3.14", tiny_elf(), 0o755),
                File("usr/lib64/libc.so.6", libc.read_bytes(), 0o755),
                Symlink("lib64", "usr/lib64"),
            )
        )
    )
    versions = answer(run)["now"]["versions"]

    assert versions["python"] == "3.14"
    glibc = run_tool([tool_path("ldd"), "--version"]).splitlines()[0].split()[-1]
    assert versions["glibc"] == glibc


def tool_path(name: str) -> str:
    path = shutil.which(name)
    assert path
    return path


@pytest.mark.proof
def test_each_base_of_the_table_is_looked_at(registry: Registry, run: Run) -> None:
    arm64 = registry.push(registry.image())
    name = registry.name
    x86_64 = registry.image(SYSTEM, runtime(2), architecture="amd64")
    other = f"{name}-x86"
    copy = ["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false"]
    run_tool([tool("skopeo"), *copy, x86_64.reference, f"docker://{other}"])
    dockerfile = registry.pin(arm64)
    dockerfile.write_text(
        f"ARG BASE_ARM64={name}@{arm64}\nARG BASE_X86_64={other}@{x86_64.digest}\n"
        "ARG BASE=${BASE_ARM64}\nFROM ${BASE}\n"
    )
    newer = registry.push(registry.image(SYSTEM, runtime(9)))

    status, out, _ = run("base", "--write", "--json")

    found = {one["architecture"]: one for one in json.loads(out)["bases"]}
    assert status == 0
    assert {cpu: one["newer"] for cpu, one in found.items()} == {"amd64": False, "arm64": True}
    assert f"ARG BASE_ARM64={name}@{newer}\n" in dockerfile.read_text()
    assert f"ARG BASE_X86_64={other}@{x86_64.digest}\n" in dockerfile.read_text()
