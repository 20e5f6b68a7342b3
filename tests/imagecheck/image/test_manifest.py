"""Documents from strangers: read, or refused in one sentence."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagecheck.image.errors import DamagedImageError, WrongBytesError
from imagecheck.image.manifest import (
    DOCKER_LIST,
    MAX_DOCUMENT_BYTES,
    OCI_INDEX,
    digest_of,
    parse_config,
    parse_manifest,
    verified,
)

DIGEST = "sha256:" + "0" * 64
DESCRIPTOR = {"mediaType": "a/b", "digest": DIGEST, "size": 5}


def test_a_manifest() -> None:
    manifest = parse_manifest(
        json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "x",
                "config": DESCRIPTOR,
                "layers": [{**DESCRIPTOR, "urls": ["https://elsewhere"]}],
                "artifactType": "y",
                "unknown": {"a": [1]},
            }
        ).encode()
    )

    assert manifest.config and manifest.layers
    assert (manifest.config.digest, manifest.config.size) == (DIGEST, 5)
    assert manifest.layers[0].urls == ["https://elsewhere"]
    assert (manifest.media_type, manifest.artifact_type, manifest.is_index) == ("x", "y", False)


@pytest.mark.parametrize(
    "document",
    [{"manifests": []}, {"mediaType": OCI_INDEX}, {"mediaType": DOCKER_LIST, "manifests": None}],
)
def test_an_index(document: dict[str, object]) -> None:
    assert parse_manifest(json.dumps(document).encode()).is_index


def test_a_configuration_with_nothing_in_it() -> None:
    config = parse_config(b'{"config": null, "rootfs": {"diff_ids": null}, "history": null}')

    assert (config.architecture, config.os, config.config) == ("", "", None)
    assert config.rootfs.diff_ids is None
    assert parse_config(b"{}").rootfs.diff_ids is None


def test_a_command() -> None:
    config = parse_config(
        b'{"config": {"Entrypoint": ["/run"], "Cmd": null, "WorkingDir": "/", "Env": ["A=b"],'
        b' "User": "993", "Labels": {"a": "b"}, "ExposedPorts": {"80/tcp": {}}}}'
    ).config

    assert config
    assert (config.entrypoint, config.cmd, config.working_dir) == (["/run"], None, "/")
    assert (config.env, config.user, config.labels) == (["A=b"], "993", {"a": "b"})


BOMBS = {
    "nested lists": b'{"annotations": ' + b"[" * 1_000_000,
    "nested objects": b'{"x":' * 500_000,
    "nested where it is not looked at": b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a number without end": b'{"schemaVersion": ' + b"9" * 1_000_000 + b"}",
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS.keys())
def test_a_json_bomb_is_refused(content: bytes) -> None:
    for parse in (parse_manifest, parse_config):
        try:
            parse(content)
        except DamagedImageError as error:
            assert len(str(error)) < 200
        else:
            assert parse is parse_config  # a configuration has no schemaVersion


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b"{", b"\xff", b'{"a": "\\ud800"}', b'"text"', b"\x1f\x8b", b"<html>",
        b'{"config": {"digest": "sha256:abc", "size": 1}}',
        b'{"config": {"digest": "sha256:' + b"0" * 64 + b'\\n", "size": 1}}',
        b'{"config": {"digest": "sha256:' + b"0" * 64 + b'", "size": -1}}',
        b'{"config": {"digest": "sha256:' + b"0" * 64 + b'"}}',
        b'{"config": {"digest": "../../../etc/passwd", "size": 1}}',
        b'{"layers": {}}', b'{"layers": [null]}',
    ],
)  # fmt: skip
def test_what_is_no_manifest(content: bytes) -> None:
    with pytest.raises(DamagedImageError, match="the manifest cannot be read as one"):
        parse_manifest(content)


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b'{"config": {"Entrypoint": "/run"}}', b'{"architecture": 5}', b'{"rootfs": []}',
     b'{"config": {"Env": [1]}}', b'{"config": {"Cmd": ["\\ud800"]}}'],
)  # fmt: skip
def test_what_is_no_configuration(content: bytes) -> None:
    with pytest.raises(DamagedImageError, match="the configuration cannot be read as one"):
        parse_config(content)


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for parse in (parse_manifest, parse_config):
        try:
            parse(content)
        except DamagedImageError:
            continue


def test_a_document_is_held_against_digest_and_size() -> None:
    content = b"{}"
    digest = digest_of(content)

    assert verified(content, digest, 2) == verified(content, digest) == verified(content, None)
    for wanted, size in ((DIGEST, 2), (digest, 3), (DIGEST, None)):
        with pytest.raises(WrongBytesError):
            verified(content, wanted, size)
    with pytest.raises(DamagedImageError, match="more than"):
        verified(bytes(MAX_DOCUMENT_BYTES + 1), None)
