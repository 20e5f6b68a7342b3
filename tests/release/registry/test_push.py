"""Images are pushed to a real registry; to servers that misbehave, where no good one would do."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imagecheck.errors import FailedError
from imagecheck.image.manifest import digest_of
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import RegistryReference, parse_reference
from imagecheck.image.registry_session import RegistrySession, access_to
from local.docker_registry import running_registry
from release.errors import RefusedError
from release.registry.push import Pushed, TagTakenError, manifest_at, push
from tests.imagecheck.image.test_registry import BCRYPT, USER, log_in
from tests.support.errors import shows
from tests.support.imagecheck.http_server import Answer, Request, serving
from tests.support.imagecheck.images import (
    File,
    Image,
    layer_of,
    write_attestation,
    write_image,
    write_index,
)
from tests.support.imagecheck.tools import skopeo_copy

REPOSITORY = "team/app"
TAG = "1" * 40


class Counting:
    """A progress that adds up."""

    def __init__(self) -> None:
        self.total = self.count = 0

    def begin(self, total: int) -> None:
        self.total += total

    def advance(self, count: int) -> None:
        self.count += count


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `docker login` has stored: nothing."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """One that no other test pushes to."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")


@pytest.fixture
def image(tmp_path: Path, repository: str) -> Image:
    layers = [layer_of(File("app", f"{repository}{n}" * 100)) for n in range(2)]
    return write_image(tmp_path / "image", layers)


@contextmanager
def session(host: str, repository: str = REPOSITORY) -> Iterator[RegistrySession]:
    access = access_to(RegistryReference(host, repository), "pull,push")
    registry = RegistrySession(access, sleep=lambda _: None)
    yield registry
    registry.close()


def pushed(
    image: Image | str,
    host: str,
    repository: str = REPOSITORY,
    tag: str | None = TAG,
    progress: Counting | None = None,
) -> Pushed:
    name = image if isinstance(image, str) else image.reference
    source = open_source(parse_reference(name))
    try:
        with session(host, repository) as registry:
            return push(source, registry, tag=tag, progress=progress or Counting())
    finally:
        source.close()


def sizes(image: Image) -> int:
    manifest = json.loads(image.blob(image.digest).read_bytes())
    return sum(blob["size"] for blob in (manifest["config"], *manifest["layers"]))


# --- what arrives -------------------------------------------------------------------------------


def test_what_arrives_is_what_was_sent(
    host: str, repository: str, image: Image, tmp_path: Path
) -> None:
    progress = Counting()

    done = pushed(image, host, repository, progress=progress)

    assert done == Pushed(image.digest, was_there=False, sent_bytes=sizes(image))
    assert progress.total == progress.count == sizes(image)
    back = Image(tmp_path / "back", image.descriptor)
    skopeo_copy(f"docker://{host}/{repository}:{TAG}", f"oci:{back.folder}:x")
    assert {p.name: p.read_bytes() for p in (back.folder / "blobs/sha256").iterdir()} == {
        p.name: p.read_bytes() for p in (image.folder / "blobs/sha256").iterdir()
    }


def test_what_is_there_is_not_sent_again(host: str, repository: str, image: Image) -> None:
    pushed(image, host, repository)

    assert pushed(image, host, repository) == Pushed(image.digest, was_there=True, sent_bytes=0)
    assert pushed(image, host, repository, tag="other") == Pushed(
        image.digest, was_there=False, sent_bytes=0
    )


def test_without_a_tag_it_is_there_by_digest(host: str, repository: str, image: Image) -> None:
    assert not pushed(image, host, repository, tag=None).was_there
    assert pushed(image, host, repository, tag=None).was_there
    with session(host, repository) as registry:
        assert manifest_at(registry, image.digest) == image.blob(image.digest).read_bytes()


def test_no_tag_is_moved(host: str, repository: str, image: Image, tmp_path: Path) -> None:
    other = write_image(tmp_path / "other", [layer_of(File("app", b"another build"))])
    pushed(image, host, repository)

    with pytest.raises(TagTakenError, match=f":{TAG} is {image.digest}, not {other.digest}"):
        pushed(other, host, repository)

    with session(host, repository) as registry:
        assert digest_of(manifest_at(registry, TAG) or b"") == image.digest
        assert manifest_at(registry, other.digest) is None


@pytest.mark.proof
def test_an_index_goes_with_all_that_it_lists(
    host: str, repository: str, image: Image, tmp_path: Path
) -> None:
    index = write_index(image.folder, image, write_attestation(image))

    assert pushed(index, host, repository).digest == index.digest

    skopeo_copy(f"docker://{host}/{repository}:{TAG}", f"oci:{tmp_path}/back:x", "--all")
    assert (tmp_path / "back/blobs/sha256" / index.digest[7:]).exists()


@pytest.mark.proof
def test_an_image_goes_from_one_repository_to_another(
    host: str, repository: str, image: Image, tmp_path: Path
) -> None:
    pushed(image, host, repository)
    name = f"docker://{host}/{repository}@{image.digest}"
    with running_registry(tmp_path / "second") as second:
        # Of the same registry: it has the blobs itself. Of another: they go by way of here.
        for there in (host, second):
            assert pushed(name, there, f"{repository}-2").digest == image.digest
            with session(there, f"{repository}-2") as registry:
                content = manifest_at(registry, image.digest)
                assert content == image.blob(image.digest).read_bytes()


def test_in_the_same_registry_no_blob_is_sent(image: Image) -> None:
    """They are mounted: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md"""
    registry = FakeRegistry(image, has_all=True, mounts=True)
    with serving(registry) as server:
        pushed(f"docker://{server.host}/first@{image.digest}", server.host, "second")
    methods = {request.method for request in server.requests}
    assert "PATCH" not in methods
    assert any("mount=" in r.path and r.path.endswith("from=first") for r in server.requests)


def test_a_repository_that_lends_no_blobs_is_read(image: Image) -> None:
    registry = FakeRegistry(image, has_all=True, on_mount=Answer(403))
    with serving(registry) as server:
        pushed(f"docker://{server.host}/first@{image.digest}", server.host, "second")
    assert sum(request.method == "PATCH" for request in server.requests) == 3


@pytest.mark.proof
def test_a_registry_that_wants_a_login(
    tmp_path: Path, image: Image, repository: str, config: Path
) -> None:
    (tmp_path / "htpasswd").write_text(f"{USER}:{BCRYPT}\n")
    auth = {"htpasswd": {"realm": "registry", "path": str(tmp_path / "htpasswd")}}
    with running_registry(tmp_path / "registry", auth) as host:
        with pytest.raises(FailedError, check=shows(f"hint: .*docker login {host}")) as refused:
            pushed(image, host, repository)
        log_in(config, host)

        assert pushed(image, host, repository).digest == image.digest

    assert "no image was made of what has arrived" in str(refused.value)


def test_a_token_is_asked_for_that_is_good_for_a_push(image: Image) -> None:
    registry = FakeRegistry(image)

    def answer(request: Request) -> Answer:
        if request.path.startswith("/token"):
            return Answer(body=b'{"token": "abc"}')
        if request.headers.get("authorization") == "Bearer abc":
            return registry(request)
        scope = 'scope="repository:team/app:pull"'
        return Answer(
            401,
            {"WWW-Authenticate": f'Bearer realm="http://{request.headers["host"]}/token",{scope}'},
        )

    with serving(answer) as server:
        pushed(image, server.host)
    tokens = [r.path for r in server.requests if r.path.startswith("/token")]
    assert tokens == [
        "/token?scope=repository%3Ateam%2Fapp%3Apull&scope=repository%3Ateam%2Fapp%3Apull%2Cpush"
    ]


@pytest.mark.proof
def test_a_large_layer_does_not_fill_the_memory(host: str, tmp_path: Path) -> None:
    """200 MB in a process that may use less than that beyond what Python itself takes."""
    layer = layer_of(File("app", b"x"))
    large = write_image(tmp_path / "large", [layer])
    size = 200_000_000
    path = tmp_path / "blob"
    with path.open("wb") as file:
        file.truncate(size)
    digest = subprocess.run(
        ["sha256sum", str(path)], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    path.rename(large.folder / "blobs/sha256" / digest)
    huge = write_image(
        large.folder,
        [layer],
        manifest_changes={
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    "digest": f"sha256:{digest}",
                    "size": size,
                }
            ]
        },
    )
    program = (
        "import sys; from tests.release.registry.test_push import pushed;"
        "import resource; used = int(open('/proc/self/statm').read().split()[0]) * 4096;"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000,) * 2);"
        "print(pushed(*sys.argv[1:]).sent_bytes)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, huge.reference, host, "large"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > size


# --- what goes wrong ----------------------------------------------------------------------------


class FakeRegistry:
    """Just enough of a registry to misbehave.

    ``changed`` maps a kind of request (``POST``, ``PATCH``, ``PUT blob``, ``PUT manifest``) to what
    it answers, one answer after the other; then it is good again.
    """

    def __init__(
        self,
        image: Image,
        *,
        has_all: bool = False,
        mounts: bool = False,
        on_mount: Answer | None = None,
        changed: dict[str, list[Answer]] | None = None,
        serves: bytes | None = None,
    ) -> None:
        self.image = image
        self.manifest: bytes | None = None
        self.blobs: set[str] = set()
        self._has_all = has_all
        self._mounts = mounts
        self._on_mount = on_mount
        self._changed = changed or {}
        self._serves = serves

    def __call__(self, request: Request) -> Answer:  # noqa: PLR0911  (a table)
        path, _, query = request.path.partition("?")
        kind = request.method
        if kind == "PUT":
            kind += " manifest" if "/manifests/" in path else " blob"
        if answers := self._changed.get(kind):
            return answers.pop(0)
        name = path.rpartition("/")[2]
        match kind:
            case "GET" if "/manifests/" in path:
                if self._has_all and "/first/" in path:
                    return Answer(body=self.image.blob(self.image.digest).read_bytes())
                content = self._serves if self.manifest and self._serves else self.manifest
                return Answer(body=content) if content is not None else Answer(404)
            case "GET" | "HEAD":
                has = name in self.blobs or (self._has_all and "/first/" in path)
                return Answer(body=self.image.blob(name).read_bytes()) if has else Answer(404)
            case "POST":
                if query and self._on_mount:
                    return self._on_mount
                created = bool(query) and self._mounts
                return Answer(201 if created else 202, {"Location": "/upload?state=secret"})
            case "PATCH":
                return Answer(202, {"Location": "/upload?state=secret"})
            case "PUT blob":
                self.blobs.add(query.rpartition("digest=")[2].replace("%3A", ":"))
                return Answer(201)
            case "PUT manifest":
                self.manifest = request.body
                return Answer(201)
        raise AssertionError(request)


def blobs_of(image: Image) -> list[str]:
    manifest = json.loads(image.blob(image.digest).read_bytes())
    return [blob["digest"] for blob in (manifest["config"], *manifest["layers"])]


def test_a_fake_registry_that_does_not_misbehave(image: Image) -> None:
    registry = FakeRegistry(image)
    with serving(registry) as server:
        assert pushed(image, server.host).digest == image.digest
    assert registry.blobs == set(blobs_of(image))
    assert registry.manifest == image.blob(image.digest).read_bytes()


@pytest.mark.parametrize("kind", ["POST", "PATCH", "PUT blob", "PUT manifest"])
def test_what_passes_is_tried_again(image: Image, kind: str) -> None:
    registry = FakeRegistry(image, changed={kind: [Answer(503), Answer(429)]})
    progress = Counting()
    with serving(registry) as server:
        pushed(image, server.host, progress=progress)
    assert registry.blobs == set(blobs_of(image))
    assert progress.count == progress.total


@pytest.mark.parametrize("kind", ["POST", "PATCH", "PUT blob", "PUT manifest"])
def test_what_does_not_pass_is_given_up(image: Image, kind: str) -> None:
    registry = FakeRegistry(image, changed={kind: [Answer(503)] * 100})
    with serving(registry) as server, pytest.raises(FailedError, match="HTTP 503") as failed:
        pushed(image, server.host)
    assert sum(r.method == kind.partition(" ")[0] for r in server.requests) <= 8
    assert registry.manifest is None
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("POST", "HTTP 400 to an upload (DENIED)"),
        ("PATCH", "HTTP 400 to blob sha256:"),
        ("PUT blob", "HTTP 400 to blob sha256:"),
        ("PUT manifest", "HTTP 400 to the manifest sha256:"),
    ],
)
def test_what_is_refused_is_said_with_its_code(image: Image, kind: str, said: str) -> None:
    refusal = Answer(400, body=b'{"errors": [{"code": "DENIED", "message": "secret"}]}')
    registry = FakeRegistry(image, changed={kind: [refusal]})
    with serving(registry) as server, pytest.raises(FailedError) as failed:
        pushed(image, server.host)
    assert said in str(failed.value)
    assert "(DENIED)" in str(failed.value)
    assert "secret" not in str(failed.value)
    assert registry.manifest is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b'{"errors": []}', b'{"errors": [{"code": "a b\x1b[0m"}]}']
)
def test_a_refusal_without_a_code_is_said_all_the_same(image: Image, body: bytes) -> None:
    registry = FakeRegistry(image, changed={"POST": [Answer(400, body=body)]})
    with (
        serving(registry) as server,
        pytest.raises(FailedError, match="HTTP 400 to an upload;"),
    ):
        pushed(image, server.host)


def test_a_registry_that_forgets_an_upload_gets_it_again(image: Image) -> None:
    registry = FakeRegistry(image, changed={"PUT blob": [Answer(404)]})
    with serving(registry) as server:
        pushed(image, server.host)
    assert registry.blobs == set(blobs_of(image))


@pytest.mark.parametrize("kind", ["blobs", "manifests"])
def test_what_has_arrived_is_not_sent_again_when_the_answer_is_lost(
    image: Image, kind: str
) -> None:
    """The first attempt did it, and the second one is refused: 404 for an upload that has ended,
    400 for an immutable tag that is taken."""
    registry = FakeRegistry(image)
    lost: list[str] = []

    def answer(request: Request) -> Answer:
        answer = registry(request)
        arrives = "/upload?" if kind == "blobs" else "/manifests/"
        if request.method == "PUT" and arrives in request.path and not lost:
            lost.append(request.path)
            return Answer(404 if kind == "blobs" else 400)
        return answer

    with serving(answer) as server:
        assert pushed(image, server.host).digest == image.digest
    assert lost
    assert sum(request.method == "PATCH" for request in server.requests) == len(registry.blobs)
    assert sum(r.method == "PUT" and "/manifests/" in r.path for r in server.requests) == 1


def test_a_login_that_ends_midway_is_renewed(image: Image) -> None:
    registry = FakeRegistry(image)
    denied: list[str] = []

    def answer(request: Request) -> Answer:
        if request.path.startswith("/token"):
            return Answer(body=b'{"token": "abc"}')
        if request.method == "PATCH" and not denied:
            denied.append(request.path)
            realm = f"http://{request.headers['host']}/token"
            return Answer(401, {"WWW-Authenticate": f'Bearer realm="{realm}"'})
        return registry(request)

    with serving(answer) as server:
        pushed(image, server.host)
    assert denied
    assert registry.blobs == set(blobs_of(image))


def test_an_answer_that_names_another_digest_is_refused(image: Image) -> None:
    other = "sha256:" + "0" * 64
    for kind in ("PUT blob", "PUT manifest"):
        lies = Answer(201, {"Docker-Content-Digest": other})
        registry = FakeRegistry(image, changed={kind: [lies]})
        with serving(registry) as server, pytest.raises(RefusedError, match=f"says that {other}"):
            pushed(image, server.host)


def test_what_is_read_back_must_be_what_was_sent(image: Image) -> None:
    manifest = image.blob(image.digest).read_bytes()
    registry = FakeRegistry(image, serves=manifest + b"\n")
    with serving(registry) as server, pytest.raises(RefusedError, match="does not give back"):
        pushed(image, server.host)


def test_a_registry_that_ends_midway(tmp_path: Path, image: Image, repository: str) -> None:
    """Killed when the first blob is there: nothing of it can be deployed, and it can go on."""
    registry = running_registry(tmp_path / "registry")
    host = registry.__enter__()

    class Killing(Counting):
        def advance(self, count: int) -> None:
            super().advance(count)
            if self.count >= self.total:
                registry.__exit__(None, None, None)

    with pytest.raises(FailedError, match=r"the push to .* failed: .* goes on from there"):
        pushed(image, host, repository, progress=Killing())
    with running_registry(tmp_path / "registry") as again:
        with session(again, repository) as there:
            assert manifest_at(there, TAG) is None
        done = pushed(image, again, repository)
    assert 0 < done.sent_bytes < sizes(image)


def test_an_interruption_says_how_it_stands(image: Image) -> None:
    class Interrupting(Counting):
        def advance(self, _: int) -> None:
            raise KeyboardInterrupt

    registry = FakeRegistry(image)
    with serving(registry) as server, pytest.raises(KeyboardInterrupt) as interrupted:
        pushed(image, server.host, progress=Interrupting())
    assert "no image was made of what has arrived" in interrupted.value.args[0]
    assert registry.manifest is None


def test_nobody_at_home(image: Image) -> None:
    with pytest.raises(FailedError, match=r"127\.0\.0\.1:9 cannot be read: no connection"):
        pushed(image, "127.0.0.1:9")


def test_an_upload_is_not_sent_elsewhere_in_the_clear(image: Image) -> None:
    away = Answer(202, {"Location": "http://far.example/upload?state=secret"})
    registry = FakeRegistry(image, changed={"POST": [away]})
    with serving(registry) as server, pytest.raises(FailedError) as failed:
        pushed(image, server.host)
    assert "which is not HTTPS" in str(failed.value)
    assert "secret" not in str(failed.value)


def test_the_login_does_not_go_with_an_upload_elsewhere(image: Image) -> None:
    def elsewhere(request: Request) -> Answer:
        return FakeRegistry(image)(request)

    def answer(request: Request) -> Answer:
        if request.path.startswith("/token"):
            return Answer(body=b'{"token": "abc"}')
        if "authorization" not in request.headers:
            realm = f"http://{request.headers['host']}/token"
            return Answer(401, {"WWW-Authenticate": f'Bearer realm="{realm}"'})
        if request.method == "POST":
            return Answer(202, {"Location": f"{second.url}/upload"})
        return registry(request)

    registry = FakeRegistry(image)
    with serving(elsewhere) as second, serving(answer) as first:
        pushed(image, first.host)
    assert {request.method for request in second.requests} == {"PATCH", "PUT"}
    assert not any("authorization" in request.headers for request in second.requests)


def test_a_challenge_from_elsewhere_is_not_answered(image: Image, config: Path) -> None:
    asks = Answer(401, {"WWW-Authenticate": "Basic"})
    with serving(lambda _: asks) as second:
        away = Answer(202, {"Location": f"{second.url}/upload"})
        registry = FakeRegistry(image, changed={"POST": [away]})
        with serving(registry) as first:
            stored = {"auths": {first.host: {"auth": base64.b64encode(b"me:secret").decode()}}}
            config.write_text(json.dumps(stored))
            with pytest.raises(FailedError, match="HTTP 401"):
                pushed(image, first.host)
    assert [request.method for request in second.requests] == ["PATCH"]


@pytest.mark.parametrize("location", ["http://[", "https://registry.example:99999/x"])
def test_an_upload_to_no_url_is_said(image: Image, location: str) -> None:
    registry = FakeRegistry(image, changed={"POST": [Answer(202, {"Location": location})]})
    with (
        serving(registry) as server,
        pytest.raises(FailedError, match="to an invalid URL"),
    ):
        pushed(image, server.host)


def test_a_server_that_names_no_place_for_an_upload(image: Image) -> None:
    registry = FakeRegistry(image, changed={"POST": [Answer(202)]})
    with (
        serving(registry) as server,
        pytest.raises(FailedError, match="where to send a blob"),
    ):
        pushed(image, server.host)


# --- images that are not whole ------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["changed", "short", "long", "gone"])
def test_a_damaged_image_makes_no_image_there(
    host: str, repository: str, image: Image, damage: str
) -> None:
    layer = image.blob(blobs_of(image)[1])
    content = layer.read_bytes()
    if damage == "gone":
        layer.unlink()
    else:
        changes = {"changed": b"\0" + content[1:], "short": content[:-1], "long": content + b"\0"}
        layer.write_bytes(changes[damage])

    with pytest.raises(RefusedError, match=f"{image.reference} cannot be pushed"):
        pushed(image, host, repository)

    with session(host, repository) as registry:
        assert manifest_at(registry, TAG) is None


def test_an_archive_of_docker_save_has_no_digest_to_compare(
    host: str, image: Image, tmp_path: Path
) -> None:
    skopeo_copy(image.reference, f"docker-archive:{tmp_path}/i.tar:rooms:v1")
    with pytest.raises(RefusedError, match="has no digest before it is pushed"):
        pushed(f"docker-archive:{tmp_path}/i.tar", host)


def test_an_index_of_indexes_of_indexes_is_refused(host: str, image: Image) -> None:
    nested = image
    for _ in range(3):
        nested = write_index(image.folder, nested)
    with pytest.raises(RefusedError, match="lists what lists"):
        pushed(nested, host)
