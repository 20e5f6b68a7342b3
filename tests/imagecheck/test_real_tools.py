"""Images that other people's tools wrote, moved and kept: what is found does not depend on the way.

buildah builds, skopeo copies, Debian's docker-registry keeps, and check reads whatever they left.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import pytest

from imagecheck.check import Report, check_image
from imagecheck.function import Declared, Function
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from imagecheck.rule import Severity
from local.docker_registry import running_registry
from tests.support.imagecheck.cases import (
    FOREIGN,
    HOST_CPU,
    LOGICAL_ID,
    ON_HOST,
    OTHER_CPU,
    PROGRAM,
    REPOSITORY_URI,
    RUN,
    Silent,
    findings_of,
    run,
    scratch,
)
from tests.support.imagecheck.corpus import BY_NAME
from tests.support.imagecheck.images import Image, only_image, write_index
from tests.support.imagecheck.programs import HOST, OTHER, busybox
from tests.support.imagecheck.starting import start
from tests.support.imagecheck.tools import buildah_build, skopeo_copy

pytestmark = pytest.mark.proof

Kind = Literal["oci", "docker"]
KINDS: tuple[Kind, ...] = ("oci", "docker")

BASE = """
FROM scratch
COPY --chmod=755 busybox /bin/busybox
COPY --chmod=755 program foreign /app/
WORKDIR /
"""
# Each is built on BASE, as another layer.
DOCKERFILES: dict[str, tuple[str, Mapping[str, Severity]]] = {
    "removed": (
        'RUN ["/bin/busybox", "rm", "/app/program"]\nENTRYPOINT ["/app/program"]',
        {"C6": "error"},
    ),
    "folder-emptied": (
        'RUN ["/bin/busybox", "sh", "-c", "rm -r /app; mkdir /app"]\nENTRYPOINT ["/app/program"]',
        {"C6": "error"},
    ),
    "not-executable": (
        'RUN ["/bin/busybox", "chmod", "644", "/app/program"]\nENTRYPOINT ["/app/program"]',
        {"C7": "error"},
    ),
    "hard-link": (
        'RUN ["/bin/busybox", "ln", "/app/program", "/app/it"]\nENTRYPOINT ["/app/it"]',
        {},
    ),
    "symlink": (
        'RUN ["/bin/busybox", "ln", "-s", "/app/program", "/app/it"]\nENTRYPOINT ["/app/it"]',
        {},
    ),
    "other-cpu": ('ENTRYPOINT ["/app/foreign"]', {"C2": "error"}),
    "shell-form": ("ENTRYPOINT /app/program", {"C6": "error"}),
}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image that all others are built on, as a Dockerfile names it."""
    folder = tmp_path_factory.mktemp("base")
    context = folder / "context"
    context.mkdir()
    (context / "busybox").write_bytes(busybox())
    (context / "program").write_bytes(PROGRAM)
    (context / "foreign").write_bytes(FOREIGN)
    for file in context.iterdir():
        file.chmod(0o755)
    (context / "Dockerfile").write_text(BASE)
    buildah_build(context, f"oci-archive:{folder}/base.tar", storage=folder / "storage")
    return f"oci-archive:{folder}/base.tar"


def check(reference: str, folder: Path, function: Function = ON_HOST) -> Report:
    """Check without anything that was learned before."""
    cache = LayerCache(folder / f"layers-{len(list(folder.iterdir()))}")
    return check_image(parse_reference(reference), function, cache=cache, progress=Silent())


def push(source: str, repository: str, folder: Path, *options: str) -> str:
    """Push to ``HOST/NAME:TAG`` and return the reference by digest."""
    file = folder / "digest"
    skopeo_copy(source, f"docker://{repository}", "--digestfile", str(file), *options)
    return f"docker://{repository.rpartition(':')[0]}@{file.read_text().strip()}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_buildah_builds_is_judged_the_same_whichever_way_it_came(
    name: str, kind: Kind, tmp_path: Path, base: str, registry: str
) -> None:
    dockerfile, expected = DOCKERFILES[name]
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(f"FROM {base}\n{dockerfile}\n")
    archives = {kind: f"{kind}-archive:{tmp_path}/{kind}.tar" for kind in KINDS}
    source = archives.pop(kind)
    (copy,) = archives.values()
    buildah_build(context, source, storage=tmp_path / "storage", kind=kind)
    skopeo_copy(source, copy)
    skopeo_copy(source, f"oci:{tmp_path}/layout:latest")

    ways = {
        "archive": source,
        "the other kind of archive": copy,
        "folder": f"oci:{tmp_path}/layout",
        "registry": push(source, f"{registry}/{name}:{kind}", tmp_path),
        "registry, as OCI": push(source, f"{registry}/{name}:oci", tmp_path, "--format", "oci"),
    }
    found = {way: findings_of(check(reference, tmp_path)) for way, reference in ways.items()}

    assert found == dict.fromkeys(ways, expected)


@pytest.mark.parametrize("name", ["good-docker-manifest", "good-long-names-pax", "good-hard-links"])
def test_what_comes_back_from_a_registry_starts(name: str, tmp_path: Path, registry: str) -> None:
    image = BY_NAME[name].write(tmp_path).image
    pushed = push(image.reference, f"{registry}/started:{name}", tmp_path)
    skopeo_copy(pushed, f"oci:{tmp_path}/back:latest", "--format", "oci")

    report = check(pushed, tmp_path)
    started = start(only_image(tmp_path / "back"), report.subject.start.argv)

    assert report.findings == ()
    assert started.exit_status == 0


def test_an_index_is_refused_and_its_children_are_not(tmp_path: Path, registry: str) -> None:
    pushed = push(
        _both(tmp_path / "index").reference, f"{registry}/both:1", tmp_path, "--multi-arch", "all"
    )
    refused = check(pushed, tmp_path)
    root = refused.subject.image.root
    assert root is not None
    assert root.manifests is not None
    children = {
        child.platform.architecture: f"docker://{registry}/both@{child.digest}"
        for child in root.manifests
        if child.platform
    }

    assert findings_of(refused) == {"B1": "error"}
    assert children[HOST].rpartition("@")[2] in refused.findings[0].fix
    assert check(children[HOST], tmp_path).findings == ()
    assert check(children[OTHER], tmp_path, Function(OTHER_CPU)).findings == ()
    assert findings_of(check(children[OTHER], tmp_path)) == {"C1": "error"}


def test_a_copy_that_changes_the_cpu_shows_at_the_destination(
    tmp_path: Path, registry: str
) -> None:
    """Rule H5: https://github.com/cdklabs/cdk-ecr-deployment/issues/568."""
    index = _both(tmp_path / "index").reference
    wanted = push(index, f"{registry}/copy:wanted", tmp_path, "--override-arch", HOST)
    other = push(index, f"{registry}/copy:other", tmp_path, "--override-arch", OTHER)

    assert check(wanted, tmp_path).findings == ()
    (finding,) = check(other, tmp_path).findings
    assert (finding.rule, finding.severity) == ("C1", "error")
    assert f"the image is for {OTHER}, the function for {HOST} ({HOST_CPU})" in finding.found


def test_zstd_layers_are_refused_wherever_they_are(tmp_path: Path, registry: str) -> None:
    image = scratch(RUN)(tmp_path / "image")
    zstd = ("--dest-compress-format", "zstd")
    skopeo_copy(image.reference, f"oci:{tmp_path}/zstd:latest", *zstd)
    pushed = push(f"oci:{tmp_path}/zstd:latest", f"{registry}/zstd:1", tmp_path)

    for reference in (f"oci:{tmp_path}/zstd", pushed):
        assert findings_of(check(reference, tmp_path)) == {"B5": "error"}


def test_a_tag_that_moves_between_check_and_deployment(tmp_path: Path, registry: str) -> None:
    tag = f"docker://{registry}/moves:live"
    good = push(scratch(RUN)(tmp_path / "good").reference, f"{registry}/moves:live", tmp_path)
    before = check(tag, tmp_path)
    bad = push(scratch(run(""))(tmp_path / "bad").reference, f"{registry}/moves:live", tmp_path)
    after = check(tag, tmp_path)

    assert findings_of(before) == {"H4": "warning"}
    assert findings_of(after) == {"C8": "error", "H4": "warning"}
    assert [_digest(good), _digest(bad)] == [r.subject.image.digest for r in (before, after)]
    # By digest nothing moves, and a template that names what was checked has nothing to fear.
    assert check(good, tmp_path).findings == ()
    assert check(good, tmp_path, _pinned_to(_digest(good))).findings == ()
    assert findings_of(check(tag, tmp_path, _pinned_to(_digest(good))))["H4"] == "error"


def test_a_digest_that_was_never_pushed(tmp_path: Path, registry: str) -> None:
    push(scratch(RUN)(tmp_path / "image").reference, f"{registry}/never:1", tmp_path)

    report = check(f"docker://{registry}/never@sha256:{'0' * 64}", tmp_path)

    assert findings_of(report) == {"A1": "error"}


def _both(folder: Path) -> Image:
    """Write an index of two good images, one for each CPU."""
    images = [
        scratch(run(PROGRAM if cpu == HOST else FOREIGN), architecture=cpu)(folder)
        for cpu in (HOST, OTHER)
    ]
    return write_index(folder, *images)


def _digest(reference: str) -> str:
    return reference.rpartition("@")[2]


def _pinned_to(digest: str) -> Function:
    properties = {"Architectures": [HOST_CPU]}
    return Function(
        HOST_CPU, declared=Declared(LOGICAL_ID, properties, f"{REPOSITORY_URI}@{digest}")
    )
