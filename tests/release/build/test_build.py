"""Images built for real with buildah, on a base that stands in for AWS's.

Where docker is asked for, a script is docker: it leaves what a real one might leave. That it is
called rightly is ``test_buildx``'s to say.
"""

import importlib.util
import io
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import release.build.build
import release.build.context
from imagecheck.errors import FailedError
from lambda_runtime.variables import CREDENTIALS
from local.docker_registry import running_registry
from release.build.build import build_image
from release.build.builder import Builder
from release.build.record import LAYOUT, BuildRecord, read_record
from release.cli import main
from release.errors import RefusedError
from tests.support.imagecheck.images import (
    File,
    Image,
    layer_of,
    only_image,
    write_attestation,
    write_image,
    write_index,
)
from tests.support.imagecheck.programs import HOST, OTHER
from tests.support.imagecheck.starting import start
from tests.support.imagecheck.tools import skopeo_copy
from tests.support.release.building import (
    HOST_CPU,
    LYING_LAYER,
    SHELL_LAYER,
    STAGE,
    clone,
    commit,
    project_in,
    push_small_base,
    write_project,
)
from tests.support.release.output import parse_output
from tests.support.release.stand_in_base import PYTHON_VERSION, push_base

# Their fixtures are built once.
pytestmark = pytest.mark.xdist_group("build")

UNCHECKED_HASH = (1).to_bytes(4, "little")
"""https://peps.python.org/pep-0552/"""
SMALL = {
    "Dockerfile": 'ARG BASE\nFROM ${BASE}\nCOPY greeting /var/task/\nCMD ["app.handler"]\n',
    "greeting": "hello\n",
    "requirements.txt": "",
}


@dataclass(frozen=True)
class Built:
    """A project, the record of its build, and the image."""

    root: Path
    record: BuildRecord

    @property
    def image(self) -> Image:
        return only_image(self.root / LAYOUT)


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture(scope="module")
def base(registry: str) -> str:
    """Like AWS's for Python."""
    return push_base(registry)


@pytest.fixture(scope="module")
def small_base(registry: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    return push_small_base(registry, tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def other_base(registry: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """For the other CPU, as it says."""
    return push_small_base(registry, tmp_path_factory.mktemp("other"), architecture=OTHER)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own function, as a project that checkouts are made of, and a file beside the code."""
    folder = write_project(tmp_path_factory.mktemp("ours") / "origin")
    (folder / "lambda_src/rooms/notes.txt").write_text("Not of the image.")
    commit(folder)
    return folder


@pytest.fixture(scope="module")
def built(origin: Path, base: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Our own function, built."""
    root = clone(origin, tmp_path_factory.mktemp("built") / "checkout")
    return Built(root, build(root, BASE=base, PYTHON_VERSION=PYTHON_VERSION))


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose image takes no second to build; it has no libraries."""
    monkeypatch.setattr(
        release.build.context, "install_dependencies", lambda folder, **_: folder.mkdir()
    )
    return write_project(tmp_path / "small", SMALL)


def build(root: Path, *, builder: Builder = "buildah", **arguments: str) -> BuildRecord:
    project, stage = project_in(root)
    return build_image(project, stage, builder=builder, build_arguments=arguments)


def members(image: Image, layer: int = -1) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(_blob(image, layer))) as tar:
        return {member.name: member for member in tar}


def content(image: Image, layer: int = -1) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(_blob(image, layer))) as tar:
        files = [member for member in tar if member.isfile()]
        return {member.name: file.read() for member in files if (file := tar.extractfile(member))}


def _blob(image: Image, layer: int) -> bytes:
    manifest = json.loads(image.blob(image.digest).read_bytes())
    return image.blob(manifest["layers"][layer]["digest"]).read_bytes()


def config_of(image: Image) -> dict[str, object]:
    manifest = json.loads(image.blob(image.digest).read_bytes())
    found: dict[str, object] = json.loads(image.blob(manifest["config"]["digest"]).read_bytes())
    return found


# --- our own function ---------------------------------------------------------------------------


@pytest.mark.proof
def test_the_same_source_gives_the_same_digest_from_every_checkout(
    tmp_path: Path, origin: Path, base: str, built: Built
) -> None:
    """With another umask, other times, another path and a commit that the image has no part of."""
    root = clone(origin, tmp_path / "a path of another length" / "checkout", umask=0o077)
    for path in (root / "lambda_src").rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    (root / "README").write_text("Not of the image.")
    revision = commit(root)
    umask = os.umask(0o077)
    try:
        record = build(root, BASE=base, PYTHON_VERSION=PYTHON_VERSION)
    finally:
        os.umask(umask)

    assert record.digest == built.record.digest
    assert record.source_revision == revision != built.record.source_revision


@pytest.mark.proof
def test_it_starts(built: Built) -> None:
    variables = {
        **CREDENTIALS,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "ROOMS_TABLE": "rooms",
    }
    config = config_of(built.image)["config"]
    assert isinstance(config, dict)
    environment = dict(variable.split("=", 1) for variable in config["Env"])

    started = start(
        built.image,
        [*config["Entrypoint"], *config["Cmd"]],
        workdir=config["WorkingDir"],
        env={**environment, **variables},
    )

    assert started.error_type == "", started


@pytest.mark.proof
def test_all_python_is_compiled_and_never_compared_with_its_source(built: Built) -> None:
    files = content(built.image)
    sources = [name for name in files if name.endswith(".py")]

    assert "var/task/rooms/main.py" in sources
    assert any(name.startswith("var/task/msgspec/") for name in sources)
    for name in sources:
        compiled = files[importlib.util.cache_from_source(name)]
        assert compiled[:4] == importlib.util.MAGIC_NUMBER
        assert compiled[4:8] == UNCHECKED_HASH
        assert compiled[8:16] == importlib.util.source_hash(files[name])


@pytest.mark.proof
def test_others_can_read_every_file_and_enter_every_folder(built: Built) -> None:
    for name, member in members(built.image).items():
        wanted = stat.S_IROTH | (stat.S_IXOTH if member.isdir() else 0)
        assert member.mode & wanted == wanted, name


@pytest.mark.proof
def test_it_has_the_rooms_and_their_libraries_and_nothing_else(built: Built) -> None:
    names = [name for name in content(built.image) if name.startswith("var/task/")]

    assert {re.split("[/-]", name)[2] for name in names} == {"rooms", "msgspec"}
    assert "var/task/rooms/notes.txt" not in names


@pytest.mark.proof
def test_it_is_one_manifest_for_one_platform_without_a_time(built: Built) -> None:
    index = json.loads((built.root / LAYOUT / "index.json").read_bytes())
    manifest = json.loads(built.image.blob(built.image.digest).read_bytes())
    config = config_of(built.image)

    assert [entry["digest"] for entry in index["manifests"]] == [built.record.digest]
    assert {layer["mediaType"] for layer in manifest["layers"]} == {
        "application/vnd.oci.image.layer.v1.tar+gzip"
    }
    assert (config["architecture"], config["os"]) == (HOST, "linux")
    assert config["created"] == "1970-01-01T00:00:00Z"
    assert {member.mtime for member in members(built.image).values()} == {0}
    assert built.record.source_revision not in json.dumps(config)


@pytest.mark.proof
def test_the_record(built: Built, base: str) -> None:
    record = read_record(built.root, "dev")

    assert record == built.record
    assert record.digest == built.image.digest
    assert (record.architecture, record.dirty) == (HOST_CPU, False)
    assert record.base_digest == base.partition("@")[2]
    assert record.built_at.endswith("Z")


@pytest.mark.proof
def test_nothing_else_is_left(built: Built) -> None:
    assert sorted(path.name for path in (built.root / "build").iterdir()) == [
        "image",
        "image.lock",
        "libraries",
        "record.json",
    ]


# --- what is refused ----------------------------------------------------------------------------


def test_a_base_without_digest(small: Path, small_base: str) -> None:
    tag = small_base.partition("@")[0] + f":{HOST}"

    with pytest.raises(RefusedError) as refused:
        build(small, BASE=tag)

    assert str(refused.value) == (
        f"lambda_src/Dockerfile, line 2: `FROM ${{BASE}}` takes {tag} without digest\n"
        "Another build may take another image."
    )
    assert refused.value.hint == (
        "write NAME@sha256:... there, or in --build-arg\n"
        f"find today's digest: python -m release check docker://{tag} --architecture {HOST_CPU}"
    )
    assert not (small / "build").exists()


@pytest.mark.parametrize("instruction", ["COPY --from=tool:1", "RUN --mount=type=bind,from=tool:1"])
def test_another_image_without_digest(small: Path, small_base: str, instruction: str) -> None:
    with (small / "lambda_src/Dockerfile").open("a") as dockerfile:
        dockerfile.write(f"{instruction} /x /y\n")

    with pytest.raises(RefusedError, match=f"Dockerfile, line 5: `{instruction}` takes tool:1 "):
        build(small, BASE=small_base)


@pytest.mark.proof
def test_a_frontend_without_digest(small: Path, small_base: str) -> None:
    dockerfile = small / "lambda_src/Dockerfile"
    text = dockerfile.read_text()
    dockerfile.write_text(f"# syntax=docker/dockerfile:1\n{text}")

    with pytest.raises(RefusedError) as refused:
        build(small, BASE=small_base)

    assert str(refused.value) == (
        "lambda_src/Dockerfile, line 1: `# syntax` takes docker/dockerfile:1 without digest\n"
        "Another build may take another image."
    )
    assert str(refused.value.hint).splitlines()[1] == (
        "find today's digest: docker buildx imagetools inspect docker/dockerfile:1"
    )
    dockerfile.write_text(f"# syntax=docker/dockerfile:1@sha256:{'0' * 64}\n{text}")
    build(small, BASE=small_base)


@pytest.mark.proof
def test_a_base_without_digest_that_is_let_pass(
    small: Path, small_base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, _, digest = small_base.partition("@")
    project, stage = project_in(small)

    record = build_image(
        project,
        stage,
        builder="buildah",
        build_arguments={"BASE": f"{name}:{HOST}"},
        skip_base_digest=True,
    )

    assert record.base_digest == digest
    assert "WARNING: lambda_src/Dockerfile, line 2: `FROM ${BASE}`" in capsys.readouterr().err


def test_a_base_for_another_cpu(small: Path, other_base: str) -> None:
    with pytest.raises(RefusedError, match=f"is for {OTHER}, and the function is for {HOST_CPU}"):
        build(small, BASE=other_base)


@pytest.mark.proof
def test_a_base_for_another_cpu_that_is_let_pass_becomes_a_lie(
    small: Path, other_base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Why it is refused: the builder writes the CPU that it is asked for onto any base."""
    project, stage = project_in(small)

    build_image(
        project,
        stage,
        builder="buildah",
        build_arguments={"BASE": other_base},
        skip_base_architecture=True,
    )

    assert config_of(only_image(small / LAYOUT))["architecture"] == HOST
    assert f"is for {OTHER}" in capsys.readouterr().err


@pytest.mark.proof
def test_a_base_that_lies_of_its_cpu(small: Path, registry: str, tmp_path: Path) -> None:
    lie = push_small_base(registry, tmp_path / "base", layer=LYING_LAYER)
    add_run(small, "true")

    with pytest.raises(RefusedError, match=f"those of {lie} are not for {HOST_CPU}"):
        build(small, BASE=lie)


def test_a_base_that_the_registry_does_not_have(small: Path, registry: str) -> None:
    with pytest.raises(RefusedError, match="its registry has no such image"):
        build(small, BASE=f"{registry}/small@sha256:{'0' * 64}")


def test_an_index_that_has_no_image_for_the_cpu(small: Path, registry: str, tmp_path: Path) -> None:
    index = write_index(tmp_path, write_image(tmp_path, [SHELL_LAYER], architecture=OTHER))
    skopeo_copy(index.reference, f"docker://{registry}/index:1", "--multi-arch", "all")

    with pytest.raises(RefusedError, match=f"it has no image for {HOST_CPU}"):
        build(small, BASE=f"{registry}/index@{index.digest}")


def test_an_image_on_nothing(small: Path) -> None:
    with pytest.raises(RefusedError, match="builds on `scratch`"):
        build(small, BASE="scratch")


# --- what cannot be done, and what stays --------------------------------------------------------


def add_run(root: Path, command: str) -> None:
    with (root / "lambda_src/Dockerfile").open("a") as dockerfile:
        dockerfile.write(f"RUN {command}\n")


def state_of(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in (root / "build").rglob("*")
        if path.is_file()
    }


@pytest.mark.proof
def test_a_build_that_fails_leaves_the_image_and_record_of_the_one_before(
    small: Path, small_base: str
) -> None:
    build(small, BASE=small_base)
    before = state_of(small)
    add_run(small, "echo the last words; exit 7")

    with pytest.raises(FailedError) as failed:
        build(small, BASE=small_base)

    message = str(failed.value)
    assert message.startswith("buildah failed; its last lines:\n")
    assert "\n  the last words\n" in message
    assert message.endswith("exit status 7")
    assert state_of(small) == before


def test_a_new_image_takes_the_place_of_the_old(small: Path, small_base: str) -> None:
    old = build(small, BASE=small_base)
    (small / "lambda_src/greeting").write_text("HELLO\n")
    new = build(small, BASE=small_base)

    image = only_image(small / LAYOUT)
    assert old.digest != new.digest == image.digest == read_record(small, "dev").digest
    assert (old.dirty, new.dirty) == (False, True)
    assert content(image)["var/task/greeting"] == b"HELLO\n"
    assert not image.blob(old.digest).exists()


@pytest.mark.proof
def test_the_image_is_the_same_in_every_storage(
    small: Path, small_base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(small, BASE=small_base)
    which = shutil.which
    # Without it, and without root, layers are copied.
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "unshare" else which(name))

    assert build(small, BASE=small_base).digest == first.digest


@pytest.mark.proof
def test_an_interruption_leaves_the_image_and_record_of_the_one_before(
    small: Path, small_base: str
) -> None:
    build(small, BASE=small_base)
    before = state_of(small)
    add_run(small, "echo it runs; sleep 1000")
    command = [sys.executable, "-m", "release", "build", STAGE, "--builder", "buildah"]
    process = subprocess.Popen(
        [*command, "--build-arg", f"BASE={small_base}"],
        cwd=small,
        env={**os.environ, "PYTHONPATH": str(Path(release.__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.strip() == "it runs":
            process.send_signal(2)
            break
    out, err = process.communicate()

    assert (process.returncode, out) == (2, "")
    assert err.splitlines()[-1] == "error: interrupted; nothing was changed"
    assert state_of(small) == before
    assert str(small) not in Path("/proc/mounts").read_text(encoding="utf-8")


def test_a_registry_that_does_not_answer(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = f"BASE=localhost:1/base@sha256:{'0' * 64}"

    assert run_main(small, monkeypatch, "--builder", "buildah", "--build-arg", base) == 2
    assert (
        capsys.readouterr().err == "error: localhost:1 cannot be read: no connection can be made\n"
    )


# --- what docker left ---------------------------------------------------------------------------


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in docker's place; what lies in this folder is what it builds."""
    folder = tmp_path / "bin"
    folder.mkdir()
    layout = tmp_path / "of-docker"
    script = f"#!/bin/sh\n[ $2 != build ] || cp -r {shlex.quote(str(layout))} image\n"
    (folder / "docker").write_text(script)
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return layout


NEW_LAYER = layer_of(File("var/task/app.py", "def handler(event, context): return event\n"))


def test_docker_builds_by_default(
    small: Path,
    small_base: str,
    docker: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    image = write_image(docker, [SHELL_LAYER, NEW_LAYER], architecture=HOST)

    assert run_main(small, monkeypatch, "--build-arg", f"BASE={small_base}", "--json") == 0

    printed = parse_output(capsys.readouterr().out)
    record = read_record(small, "dev")
    assert printed == {
        "version": 1,
        "command": "build",
        "ok": True,
        "image": "oci:build/image",
        "digest": image.digest,
        "architecture": HOST_CPU,
        "baseDigest": small_base.partition("@")[2],
        "sourceRevision": record.source_revision,
        "dirty": False,
        "builtAt": record.built_at,
    }


@pytest.mark.parametrize("fails", ["record", "layout"])
def test_image_and_record_are_replaced_together(
    small: Path, small_base: str, docker: Path, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(docker, [SHELL_LAYER, NEW_LAYER], architecture=HOST)
    build(small, builder="docker", BASE=small_base)
    before = state_of(small)
    write_image(docker, [SHELL_LAYER, layer_of(File("another"))], architecture=HOST)

    def fail(*_: object) -> None:
        raise FailedError("the disk is full")

    rename = Path.rename

    def rename_what_is_not_new(path: Path, to: Path) -> Path:
        if path.name == "image" and path.parent.name.startswith("building-"):
            fail()
        return rename(path, to)

    if fails == "record":
        monkeypatch.setattr(release.build.build, "write_record", fail)
    else:
        monkeypatch.setattr(Path, "rename", rename_what_is_not_new)
    with pytest.raises(FailedError, match="the disk is full"):
        build(small, builder="docker", BASE=small_base)
    monkeypatch.undo()

    assert state_of(small) == before


def test_an_image_index(small: Path, small_base: str, docker: Path) -> None:
    image = write_image(docker, [SHELL_LAYER, NEW_LAYER], architecture=HOST)
    write_index(docker, image, write_attestation(image))

    refused(small, small_base, "it is an image index")


def test_an_image_for_another_cpu(small: Path, small_base: str, docker: Path) -> None:
    write_image(docker, [SHELL_LAYER, NEW_LAYER], architecture=OTHER)

    refused(small, small_base, f"it is for {OTHER}, and the function is for {HOST_CPU}")


def test_layers_that_are_not_gzip(small: Path, small_base: str, docker: Path) -> None:
    layers = [SHELL_LAYER, layer_of(File("x"), compression="none")]
    write_image(docker, layers, architecture=HOST)

    refused(small, small_base, "not compressed with gzip")


def test_another_base_than_the_registry_has(small: Path, small_base: str, docker: Path) -> None:
    write_image(docker, [layer_of(File("another")), NEW_LAYER], architecture=HOST)

    refused(small, small_base, "its first layers are not those of sha256:")


def test_a_layer_that_is_damaged(small: Path, small_base: str, docker: Path) -> None:
    wrong = replace(NEW_LAYER, diff_id=f"sha256:{'0' * 64}")
    write_image(docker, [SHELL_LAYER, wrong], architecture=HOST)

    refused(small, small_base, "layer 2 has the diff_id")


def refused(root: Path, base: str, why: str) -> None:
    with pytest.raises(RefusedError, match=f"what was built is not what Lambda takes: .*{why}"):
        build(root, builder="docker", BASE=base)
    assert state_of(root) == {}


# --- the command --------------------------------------------------------------------------------


def run_main(root: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["release", "build", STAGE, *arguments])
    return main()


def test_what_a_person_reads(
    small: Path,
    small_base: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (small / "lambda_src/new").write_text("not committed")
    builder = ("--builder", "buildah", "--build-arg", f"BASE={small_base}")

    assert run_main(small, monkeypatch, *builder) == 0

    printed = capsys.readouterr()
    record = read_record(small, "dev")
    assert printed.out.splitlines() == [
        "oci:build/image",
        f"  digest   {record.digest}",
        f"  image    {HOST_CPU}",
        f"  base     {small_base.partition('@')[2]}",
        f"  source   {record.source_revision[:12]}, and changes that are not committed",
        "",
        f"next: python -m release check oci:build/image --stage {STAGE}"
        " --dockerfile lambda_src/Dockerfile",
    ]
    assert f"buildah builds for {HOST_CPU} on {small_base}" in printed.err
    assert "  STEP 1/3: FROM" in printed.err


@pytest.mark.parametrize("argument", ["BASE", "=x", "hunter2"])
def test_a_build_argument_that_is_none_and_may_be_a_secret(
    small: Path,
    argument: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_main(small, monkeypatch, "--build-arg", argument) == 2
    assert capsys.readouterr().err == (
        "error: --build-arg takes NAME=VALUE\nhint: python -m release build --help\n"
    )
