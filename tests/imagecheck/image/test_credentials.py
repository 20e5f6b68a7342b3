"""The credentials of `docker login` are found under all their names, and never shown."""

import base64
import json
import traceback
from pathlib import Path
from typing import Any

import pytest

from imagecheck.image.credentials import Credentials, IdentityToken, Password, stored_credentials
from imagecheck.image.errors import ImageReadError

HOST = "registry.example"
SECRET = "correct horse"
AUTH = base64.b64encode(f"me:{SECRET}".encode()).decode()
ME = Password("me", SECRET)


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


def write(config: Path, **content: Any) -> None:
    config.write_text(json.dumps(content))


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that the configuration can name ``test``; it writes down what it is asked."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "docker-credential-test"


def write_helper(helper: Path, output: str, status: int = 0) -> None:
    asked = f'echo "$1 $(cat)" > {helper.parent}/asked'
    helper.write_text(f"#!/bin/sh\n{asked}\necho '{output}'\nexit {status}\n")
    helper.chmod(0o755)


def answer_of(username: str) -> str:
    return json.dumps({"ServerURL": HOST, "Username": username, "Secret": SECRET})


def test_without_a_file_there_are_none() -> None:
    assert stored_credentials(HOST) is None


def test_the_home_folder_has_the_file_unless_a_variable_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_CONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".docker").mkdir()
    write(tmp_path / ".docker" / "config.json", auths={HOST: {"auth": AUTH}})
    assert stored_credentials(HOST) == ME


@pytest.mark.parametrize(
    ("key", "host"),
    [
        (HOST, HOST),
        (f"https://{HOST}", HOST),
        (f"https://{HOST}/v1/", HOST),
        (f"http://{HOST}/v2", HOST),
        (f"{HOST}:5000", f"{HOST}:5000"),
        (f"https://{HOST}:5000/v1/", f"{HOST}:5000"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("https://index.docker.io/v1/", "registry-1.docker.io"),
        ("docker.io", "docker.io"),
    ],
)
def test_a_host_is_found_in_every_form_of_its_key(config: Path, key: str, host: str) -> None:
    write(config, auths={key: {"auth": AUTH}, "other.example": {"auth": "b3RoZXI6b3RoZXI="}})
    assert stored_credentials(host) == ME


@pytest.mark.parametrize(
    "host", ["other.example", f"{HOST}:5000", f"x{HOST}", "example", "docker.io"]
)
def test_no_other_host_gets_them(config: Path, host: str) -> None:
    write(config, auths={HOST: {"auth": AUTH}, f"https://{HOST}/v1/": {"auth": AUTH}})
    assert stored_credentials(host) is None


def test_a_host_goes_before_a_part_of_it(config: Path) -> None:
    write(config, auths={HOST: {"auth": AUTH}, f"{HOST}/team": {"auth": "b3RoZXI6b3RoZXI="}})
    assert stored_credentials(HOST) == ME


def test_a_password_may_have_colons_and_any_letters(config: Path) -> None:
    auth = base64.b64encode("me:a:b:パスワード".encode()).decode()
    write(config, auths={HOST: {"auth": auth}})
    assert stored_credentials(HOST) == Password("me", "a:b:パスワード")


def test_an_identity_token_goes_before_a_password(config: Path) -> None:
    write(config, auths={HOST: {"auth": AUTH, "identitytoken": "token"}})
    assert stored_credentials(HOST) == IdentityToken("token")


def test_an_entry_that_says_nothing_is_none(config: Path) -> None:
    write(config, auths={HOST: {}})
    assert stored_credentials(HOST) is None


@pytest.mark.parametrize(("username", "expected"), [("me", ME), ("<token>", IdentityToken(SECRET))])
def test_a_helper_is_asked_first(
    config: Path, helper: Path, username: str, expected: Credentials
) -> None:
    write_helper(helper, answer_of(username))
    other = {HOST: {"auth": "b3RoZXI6b3RoZXI="}}
    write(config, credHelpers={HOST: "test"}, credsStore="missing", auths=other)
    assert stored_credentials(HOST) == expected
    assert (helper.parent / "asked").read_text() == f"get {HOST}\n"


def test_the_helper_for_all_hosts_is_asked_for_docker_hub_by_its_old_name(
    config: Path, helper: Path
) -> None:
    write_helper(helper, answer_of("me"))
    write(config, credHelpers={HOST: "missing"}, credsStore="test")
    assert stored_credentials("docker.io") == ME
    assert (helper.parent / "asked").read_text() == "get https://index.docker.io/v1/\n"


def test_what_a_helper_lacks_may_be_in_the_file(config: Path, helper: Path) -> None:
    write_helper(helper, "credentials not found in native keychain", status=1)
    write(config, credsStore="test", auths={HOST: {"auth": AUTH}})
    assert stored_credentials(HOST) == ME
    assert stored_credentials("other.example") is None


@pytest.mark.parametrize(
    ("output", "status"), [(SECRET, 1), (SECRET, 0), (f'{{"Username": "{SECRET}"}}', 0)]
)
def test_a_helper_that_fails_is_named_and_not_quoted(
    config: Path, helper: Path, output: str, status: int
) -> None:
    write_helper(helper, output, status)
    write(config, credsStore="test")
    with pytest.raises(ImageReadError, match="docker-credential-test") as caught:
        stored_credentials(HOST)
    assert_not_shown(SECRET, caught.value)


def test_a_helper_that_is_not_installed_is_named(config: Path, helper: Path) -> None:
    assert not helper.exists()
    write(config, credsStore="test")
    with pytest.raises(
        ImageReadError, match=r"docker-credential-test, which \S+ names, is not installed"
    ):
        stored_credentials(HOST)


def test_a_helper_that_hangs_is_given_up(
    config: Path, helper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagecheck.image.credentials.HELPER_TIMEOUT_SECONDS", 0.1)
    helper.write_text("#!/bin/sh\nexec sleep 600\n")
    helper.chmod(0o755)
    write(config, credsStore="test")
    with pytest.raises(ImageReadError, match=r"no answer within 0\.1 s"):
        stored_credentials(HOST)


@pytest.mark.parametrize(
    "content",
    [
        SECRET,
        "",
        f'["{SECRET}"]',
        json.dumps({"auths": {HOST: SECRET}}),
        json.dumps({"auths": {HOST: {"auth": SECRET}}}),
        json.dumps({"auths": {HOST: {"auth": base64.b64encode(SECRET.encode()).decode()}}}),
        json.dumps({"auths": {HOST: {"auth": base64.b64encode(b"\xff:" + b"x").decode()}}}),
        json.dumps({"credHelpers": {HOST: f"../{SECRET}"}}),
    ],
)
def test_a_malformed_file_is_named_and_not_quoted(config: Path, content: str) -> None:
    config.write_text(content)
    with pytest.raises(ImageReadError, match=r"config\.json is malformed") as caught:
        stored_credentials(HOST)
    assert_not_shown(SECRET, caught.value)


def test_a_file_that_is_no_text_is_malformed(config: Path) -> None:
    config.write_bytes(b'{"credsStore": "\xff"}')
    with pytest.raises(ImageReadError, match=r"config\.json is malformed"):
        stored_credentials(HOST)


def test_a_file_that_cannot_be_read_is_named(config: Path) -> None:
    config.mkdir()
    with pytest.raises(ImageReadError, match=r"config\.json cannot be read: Is a directory"):
        stored_credentials(HOST)


@pytest.mark.parametrize("credentials", [ME, IdentityToken(SECRET)])
def test_secrets_are_not_shown(credentials: Credentials) -> None:
    assert SECRET not in f"{credentials} {credentials!r}"


def assert_not_shown(secret: str, error: BaseException) -> None:
    assert secret not in "".join(traceback.format_exception(error))
