"""Images are read from a real registry, pushed there by skopeo, with and without a login."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from imagecheck.image.errors import ImageReadError, NotInRegistryError
from imagecheck.image.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, digest_of, parse_manifest
from imagecheck.image.reference import RegistryReference, parse_reference
from imagecheck.image.registry import RegistrySource
from imagecheck.image.registry_session import access_to
from imagecheck.image.source import Document, ImageSource
from local.docker_registry import running_registry
from tests.support.errors import shows
from tests.support.imagecheck.certificate import self_signed
from tests.support.imagecheck.http_server import Answer, Request, Server, serving
from tests.support.imagecheck.images import File, Image, layer_of, write_image, write_index
from tests.support.imagecheck.tools import run, skopeo_copy, tool

REPOSITORY = "team/app"
TAG = "1.0"
USER, PASSWORD = "me", "correct horse"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
# Of the password, by crypt(3); docker-registry takes no other kind.
BCRYPT = "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"
ABSENT = Descriptor(digest="sha256:" + "0" * 64, size=1)


@dataclass(frozen=True)
class Pushed:
    """A registry's folder, and what skopeo has pushed into it."""

    folder: Path
    image: Image
    index: Image

    def content(self, digest: str) -> bytes:
        return self.image.blob(digest).read_bytes()

    def blobs(self) -> list[Descriptor]:
        """The image's configuration, and its layer."""
        manifest = parse_manifest(self.content(self.image.digest))
        assert manifest.config
        assert manifest.layers
        return [manifest.config, *manifest.layers]


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Pushed:
    folder = tmp_path_factory.mktemp("registry")
    layout = tmp_path_factory.mktemp("layout")
    image = write_image(layout, [layer_of(File("app", b"content" * 100))])
    with running_registry(folder) as host:
        skopeo_copy(f"oci:{layout}", f"docker://{host}/{REPOSITORY}:{TAG}")
        other = write_image(layout, [layer_of(File("app", b"other"))], architecture="arm64")
        index = write_index(layout, image, other)
        push = ["copy", "--quiet", "--all", "--insecure-policy", "--dest-tls-verify=false"]
        run([tool("skopeo"), *push, f"oci:{layout}", f"docker://{host}/{REPOSITORY}:index"])
    return Pushed(folder, image, index)


@pytest.fixture(scope="module")
def host(pushed: Pushed) -> Iterator[str]:
    """A registry that asks for no login."""
    with running_registry(pushed.folder) as host:
        yield host


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


@contextmanager
def opened(host: str, tag: str = TAG, digest: str | None = None) -> Iterator[ImageSource]:
    reference = RegistryReference(host, REPOSITORY, tag, digest)
    source = RegistrySource(reference, sleep=lambda _: None)
    yield source
    source.close()


def log_in(config: Path, host: str) -> None:
    login = [tool("skopeo"), "login", "--tls-verify=false", "--authfile", str(config)]
    run([*login, "--username", USER, "--password", PASSWORD, host])


def descriptor(image: Image) -> Descriptor:
    return Descriptor(
        media_type=image.descriptor["mediaType"], digest=image.digest, size=image.descriptor["size"]
    )


@pytest.mark.parametrize("by_digest", [False, True])
def test_a_manifest_comes_as_it_was_pushed(host: str, pushed: Pushed, by_digest: bool) -> None:
    # The digest decides where there is a tag too.
    tag, digest = ("missing", pushed.image.digest) if by_digest else (TAG, None)
    with opened(host, tag, digest) as source:
        assert source.root() == Document(OCI_MANIFEST, pushed.content(pushed.image.digest))


def test_an_index_and_its_manifests_come_as_they_were_pushed(host: str, pushed: Pushed) -> None:
    with opened(host, "index") as source:
        assert source.root() == Document(OCI_INDEX, pushed.content(pushed.index.digest))
        child = source.manifest(descriptor(pushed.image))
    assert digest_of(child.content) == pushed.image.digest


def test_blobs_are_read_and_known_by_digest_and_size(host: str, pushed: Pushed) -> None:
    with opened(host) as source:
        for blob in pushed.blobs():
            with source.blob(blob) as stream:
                assert stream.read() == pushed.content(blob.digest)
            assert source.has_blob(blob)
            assert not source.has_blob(Descriptor(digest=blob.digest, size=blob.size + 1))


def test_what_is_not_there_is_said_to_be_not_there(host: str) -> None:
    with opened(host, "missing") as source:
        with pytest.raises(NotInRegistryError, match=f"{host}/{REPOSITORY} has no manifests/miss"):
            source.root()
        with pytest.raises(NotInRegistryError, match=ABSENT.digest):
            source.manifest(ABSENT)
        with pytest.raises(NotInRegistryError, match=ABSENT.digest), source.blob(ABSENT):
            pass
        assert not source.has_blob(ABSENT)


def test_a_registry_takes_compressed_layers_only() -> None:
    assert RegistrySource.compressed_on_push is False


@pytest.fixture
def basic(pushed: Pushed, tmp_path: Path) -> Iterator[str]:
    """A registry that asks for a password itself."""
    (tmp_path / "htpasswd").write_text(f"{USER}:{BCRYPT}\n")
    auth = {"htpasswd": {"realm": "registry", "path": str(tmp_path / "htpasswd")}}
    with running_registry(pushed.folder, auth) as host:
        yield host


def test_what_skopeo_login_stores_opens_a_registry(
    basic: str, pushed: Pushed, config: Path
) -> None:
    log_in(config, basic)
    _, layer = pushed.blobs()
    with opened(basic) as source:
        assert digest_of(source.root().content) == pushed.image.digest
        assert source.has_blob(layer)


def test_without_a_login_people_are_told_to_log_in(basic: str) -> None:
    with (
        opened(basic) as source,
        pytest.raises(ImageReadError, check=shows(f"hint: .*docker login {basic}")),
    ):
        source.root()


def test_a_wrong_password_is_refused_and_not_shown(basic: str, config: Path) -> None:
    wrong = base64.b64encode(f"{USER}:{PASSWORD}!".encode()).decode()
    config.write_text(f'{{"auths": {{"{basic}": {{"auth": "{wrong}"}}}}}}')
    with opened(basic) as source, pytest.raises(ImageReadError, match="HTTP 401") as caught:
        source.root()
    assert PASSWORD not in str(caught.value)
    assert wrong not in str(caught.value)


@contextmanager
def token_registry(pushed: Pushed, folder: Path) -> Iterator[tuple[str, Server]]:
    """A registry and its token server, whose tokens let nobody but our user pull."""
    certificate = self_signed(folder)
    access = {"type": "repository", "name": REPOSITORY, "actions": ["pull"]}

    def give(request: Request) -> Answer:
        known = request.headers.get("authorization") == BASIC
        claims = {"iss": "tests", "aud": "the registry", "sub": "", "jti": "1"}
        times = {"iat": 0, "nbf": 0, "exp": 2**32}
        token = certificate.jwt({**claims, **times, "access": [access] if known else []})
        return Answer(body=json.dumps({"token": token}).encode())

    with serving(give) as server:
        auth = {
            "realm": f"{server.url}/token",
            "service": "the registry",
            "issuer": "tests",
            "rootcertbundle": str(certificate.file),
        }
        with running_registry(pushed.folder, {"token": auth}) as host:
            yield host, server


def test_a_token_opens_a_registry_and_is_kept(pushed: Pushed, tmp_path: Path, config: Path) -> None:
    _, layer = pushed.blobs()
    with token_registry(pushed, tmp_path) as (host, server), opened(host) as source:
        log_in(config, host)
        server.requests.clear()
        assert digest_of(source.root().content) == pushed.image.digest
        assert source.has_blob(layer)
        with source.blob(layer) as blob:
            assert blob.read() == pushed.content(layer.digest)
        assert [request.headers["authorization"] for request in server.requests] == [BASIC]


def test_a_token_that_opens_nothing_means_to_log_in(pushed: Pushed, tmp_path: Path) -> None:
    with (
        token_registry(pushed, tmp_path) as (host, server),
        opened(host) as source,
        pytest.raises(ImageReadError, check=shows(f"HTTP 401.*docker login {host}")),
    ):
        source.root()
    assert ["authorization" in request.headers for request in server.requests] == [False]


def test_a_token_that_has_become_too_old_is_replaced() -> None:
    used: list[str] = []

    def answer(request: Request) -> Answer:
        if request.path.startswith("/token"):
            return Answer(body=b'{"token": "token-%d"}' % len(used))
        token = request.headers.get("authorization", "")
        if not token or token in used:
            realm = f'Bearer realm="http://{request.headers["host"]}/token"'
            return Answer(401, {"WWW-Authenticate": realm})
        used.append(token)
        return Answer(body=b"{}")

    with serving(answer) as server, opened(server.host) as source:
        source.root()
        source.manifest(Descriptor(digest=ABSENT.digest, size=2))
    assert used == ["Bearer token-0", "Bearer token-1"]


def test_the_storage_behind_a_registry_gets_no_credentials(config: Path) -> None:
    blob = Descriptor(digest=digest_of(b"content"), size=7)
    with serving(lambda _: Answer(body=b"content")) as storage:

        def answer(request: Request) -> Answer:
            if request.headers.get("authorization") != BASIC:
                return Answer(401, {"WWW-Authenticate": 'Basic realm="registry"'})
            return Answer(307, {"Location": f"{storage.url}/blob?signed"})

        with serving(answer) as server, opened(server.host) as source:
            entry = {"auth": BASIC.removeprefix("Basic ")}
            config.write_text(json.dumps({"auths": {server.host: entry}}))
            assert source.has_blob(blob)
            with source.blob(blob) as stream:
                assert stream.read() == b"content"
    assert [request.method for request in storage.requests] == ["HEAD", "GET"]
    assert not any("authorization" in request.headers for request in storage.requests)


def test_the_storage_behind_a_registry_cannot_ask_for_credentials(config: Path) -> None:
    with (
        serving(lambda _: Answer(401, {"WWW-Authenticate": "Basic"})) as storage,
        serving(lambda _: Answer(307, {"Location": storage.url})) as server,
        opened(server.host) as source,
    ):
        entry = {"auth": BASIC.removeprefix("Basic ")}
        config.write_text(json.dumps({"auths": {server.host: entry, storage.host: entry}}))
        with pytest.raises(ImageReadError, match=storage.host):
            source.root()
    assert ["authorization" in request.headers for request in storage.requests] == [False]


def test_a_manifest_without_end_is_not_read_to_it() -> None:
    endless = Answer(headers={"Content-Length": str(10**12)}, body=b" " * 65536, endless=True)
    with (
        serving(lambda _: endless) as server,
        opened(server.host) as source,
        pytest.raises(ImageReadError, match="too long"),
    ):
        source.root()


@pytest.mark.parametrize(("length", "there"), [("7", True), ("8", False), ("", True)])
def test_a_blob_of_another_length_is_not_there(length: str, there: bool) -> None:
    with (
        serving(lambda _: Answer(headers={"Content-Length": length})) as server,
        opened(server.host) as source,
    ):
        assert source.has_blob(Descriptor(digest=ABSENT.digest, size=7)) is there


@pytest.mark.parametrize(
    ("status", "words"), [(403, "docker login"), (405, "answers HTTP 405"), (301, "HTTP 301")]
)
def test_any_other_answer_is_no_judgement_of_the_image(status: int, words: str) -> None:
    with (
        serving(lambda _: Answer(status)) as server,
        opened(server.host) as source,
        pytest.raises(ImageReadError, check=shows(words)),
    ):
        source.has_blob(ABSENT)


def test_a_port_that_cannot_be_is_said() -> None:
    with pytest.raises(ImageReadError, match="is not the address of a registry"):
        RegistrySource(RegistryReference("registry.example:99999", REPOSITORY, TAG))


def test_docker_hub_is_asked_by_its_other_name() -> None:
    def pull(text: str) -> str:
        reference = parse_reference(text)
        assert isinstance(reference, RegistryReference)
        asked = access_to(reference)
        return f"{asked.registry}/{asked.repository}"

    assert pull("docker://docker.io/alpine:3") == "https://registry-1.docker.io/library/alpine"
    assert pull("docker://docker.io/team/app:3") == "https://registry-1.docker.io/team/app"
    assert pull("docker://ghcr.io/app:3") == "https://ghcr.io/app"
    assert pull("docker://localhost:5000/app:3") == "http://localhost:5000/app"
