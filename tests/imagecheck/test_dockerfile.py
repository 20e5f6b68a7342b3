"""Every image that a build takes from a registry, and nothing that only looks like one."""

import os
from pathlib import Path

import pytest

from imagecheck.dockerfile import ImageUse, arguments_of, base_of, frontend_of, images_of
from imagecheck.image.errors import ImageReadError

DIGEST = "sha256:" + "0" * 64


def uses(folder: Path, text: str | bytes) -> list[ImageUse]:
    path = folder / "Dockerfile"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(images_of(path))


def images(folder: Path, text: str) -> list[str]:
    return [use.image for use in uses(folder, text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM a", ["a"]),
        ("from a as b", ["a"]),
        ("FROM --platform=linux/arm64 a:1 AS b", ["a:1"]),
        (f"FROM a@{DIGEST}", [f"a@{DIGEST}"]),
        ("FROM scratch", []),
        ("FROM a AS b\nFROM b\nFROM B AS c", ["a"]),
        ("FROM a AS b\nCOPY --from=b /x /y", ["a"]),
        ("FROM a\nCOPY --from=0 /x /y", ["a"]),
        ("FROM a\nFROM c\nCOPY --from=1 /x /y\nCOPY --from=2 /x /y", ["a", "c", "2"]),
        ("FROM a\nCOPY --link --chmod=a+rX --from=tool:1 /x /y", ["a", "tool:1"]),
        ("FROM a\nADD --from=tool:1 /x /y", ["a", "tool:1"]),
        ("FROM a\nRUN --mount=from=tool:1,target=/t true", ["a", "tool:1"]),
        (
            "FROM a\nRUN --mount=type=cache,target=/c --mount=type=bind,from=x,target=/x"
            " --mount=from=y make",
            ["a", "x", "y"],
        ),
        ("FROM a\nRUN --mount=type=secret,id=from=x true", ["a"]),
        ("FROM a\nRUN import --from=backup", ["a"]),
        ("FROM a\nRUN --network=none import --mount=from=backup", ["a"]),
        ("FROM a\nCMD --from=x", ["a"]),
        ("FROM a\n# FROM b\n  # COPY --from=c\n", ["a"]),
        ("FROM \\\n  a \\\n  # a comment\n\n  AS b\nFROM b", ["a"]),
        ("FROM a \\", ["a"]),
        ("FROM\ta\r\nCOPY --from=b /x /y\r\n", ["a", "b"]),
        ("ARG V=22\nFROM a:$V", ["a:22"]),
        ("ARG V=22\nFROM a:${V}-slim", ["a:22-slim"]),
        ('ARG V="22" W=\'x\'\nFROM a:$V$W', ["a:22x"]),
        ("ARG V\nFROM a:${V:-20}", ["a:20"]),
        ("ARG V\nFROM a:$V", ["a:$V"]),
        ("ARG V=\nFROM a:${V:-20}", ["a:20"]),
        ("ARG V=1\nFROM a${V:+-slim}", ["a-slim"]),
        ("ARG V\nFROM a${V:+-slim}", ["a"]),
        ("ARG V=1\nFROM a:${V:?missing}", ["a:1"]),
        ("ARG V=1\nFROM a:${V-20}", ["a:1"]),
        ("# escape=`\nFROM `\n  a\nCOPY C:\\\nFROM b", ["a", "b"]),
        ("# syntax=docker/dockerfile:1\n# escape = `\nFROM `\n  a", ["a"]),
        ("# a comment\n# escape=`\nFROM a \\\n AS b\nFROM b", ["a"]),
        ("# unknown=1\n# escape=`\nFROM a \\\n AS b\nFROM b", ["a"]),
        ("# ESCAPE=`\r\nFROM `\r\n  a\r\n", ["a"]),
        # One that is escaped continues nothing; what is continued has no blank put in.
        ("FROM a\nWORKDIR C:\\\\\nFROM b", ["a", "b"]),
        ("FR\\\nOM a\\\n:1", ["a:1"]),
        ("FROM a AS x-amd64\nFROM b AS x-arm64\nFROM x-${TARGETARCH}", ["a", "b"]),
        ('FROM "a"', ["a"]),
        ("FROM a\nRUN <<EOF\nFROM b\nCOPY --from=c /x /y\nEOF\nCOPY --from=d /x /y", ["a", "d"]),
        ("FROM a\nCOPY <<-'ONE' <<\"TWO\" /x/\nFROM b\n\tONE\nFROM c\nTWO\nFROM e", ["a", "e"]),
        ("FROM a\nLABEL x=<<EOF\nFROM b", ["a", "b"]),
        ("", []),
    ],
)  # fmt: skip
def test_images(tmp_path: Path, text: str, found: list[str]) -> None:
    assert images(tmp_path, text) == found


@pytest.mark.parametrize(
    ("text", "given", "found"),
    [
        ("ARG V=22\nFROM a:$V", {"V": "24"}, ["a:24"]),
        ("ARG V\nFROM a:${V}", {"V": "24"}, ["a:24"]),
        ("ARG V\nFROM a:${V:-20}", {"V": "24"}, ["a:24"]),
        ("ARG\tU V W=1\nFROM a:$V$W", {"V": "24"}, ["a:241"]),
        ("ARG V=22\nFROM a:$V", {"v": "24"}, ["a:22"]),
        ("FROM a:$V", {"V": "24"}, ["a:$V"]),
        ("ARG T=1\nFROM a\nCOPY --from=tool:$T /x /y", {"T": "2"}, ["a", "tool:2"]),
        ("ARG B=a\nFROM $B", {"B": "scratch"}, []),
    ],
)  # fmt: skip
def test_build_arguments(
    tmp_path: Path, text: str, given: dict[str, str], found: list[str]
) -> None:
    (tmp_path / "Dockerfile").write_text(text)

    assert [use.image for use in images_of(tmp_path / "Dockerfile", given)] == found


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("FROM a", "a"),
        ("FROM a AS x\nFROM b", "b"),
        ("FROM a AS x\nFROM b AS y\nFROM x", "a"),
        ("FROM a AS x\nFROM X AS y\nFROM c AS z\nFROM y", "a"),
        ("FROM a\nCOPY --from=b /x /y", "a"),
        ("FROM a AS x\nFROM scratch\nCOPY --from=x /x /y", None),
        ("FROM scratch AS x\nFROM a AS y\nFROM x", None),
        ("ARG B=a\nFROM $B", "given"),
        ("", None),
    ],
)
def test_what_the_last_stage_is_built_on(tmp_path: Path, text: str, base: str | None) -> None:
    (tmp_path / "Dockerfile").write_text(text)

    found = base_of(tmp_path / "Dockerfile", {"B": "given"})

    assert (found and found.image) == base


def test_our_own() -> None:
    assert all(use.digest for use in images_of(Path(__file__).parents[2] / "lambda_src/Dockerfile"))


@pytest.mark.parametrize(
    ("text", "given", "frontend"),
    [
        ("FROM a", {}, None),
        ("# syntax=f:1\nFROM a", {}, ImageUse(1, "# syntax", "f:1")),
        (f"# syntax=f@{DIGEST}\nFROM a", {}, ImageUse(1, "# syntax", f"f@{DIGEST}")),
        (
            "# escape=`\n# syntax=f:1\nFROM a",
            {"BUILDKIT_SYNTAX": " g:1 more"},
            ImageUse(2, "--build-arg BUILDKIT_SYNTAX", "g:1"),
        ),
        ("FROM a", {"BUILDKIT_SYNTAX": "g:1"}, ImageUse(1, "--build-arg BUILDKIT_SYNTAX", "g:1")),
        ("# syntax=f:1\nFROM a", {"BUILDKIT_SYNTAX": ""}, ImageUse(1, "# syntax", "f:1")),
    ],
)
def test_what_reads_it(
    tmp_path: Path, text: str, given: dict[str, str], frontend: ImageUse | None
) -> None:
    (tmp_path / "Dockerfile").write_text(text)

    assert frontend_of(tmp_path / "Dockerfile", given) == frontend


def test_what_pins_an_image(tmp_path: Path) -> None:
    found = uses(tmp_path, f"FROM a:1@{DIGEST}\nFROM b:1\nFROM c@sha256:abc\nFROM d:{DIGEST[7:]}\n")

    assert [use.digest for use in found] == [DIGEST, None, None, None]


def test_where_it_is_and_nothing_that_may_be_secret(tmp_path: Path) -> None:
    text = "\n\nFROM \\\n  a\n\nRUN --mount=type=bind,from=b,target=/x \\\n  curl -u me:hunter2 h\n"

    assert uses(tmp_path, text) == [
        ImageUse(3, "FROM a", "a"),
        ImageUse(6, "RUN --mount=type=bind,from=b", "b"),
    ]


def test_a_byte_order_mark_is_no_instruction(tmp_path: Path) -> None:
    assert [use.image for use in uses(tmp_path, b"\xef\xbb\xbfFROM a\n")] == ["a"]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="is not text in UTF-8"):
        uses(tmp_path, b"FROM \xff")
    for path, why in ((tmp_path / "nowhere", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ImageReadError, match=why):
            images_of(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "Dockerfile")

    with pytest.raises(ImageReadError, match="is a pipe"):
        images_of(tmp_path / "Dockerfile")


def test_the_default_of_an_argument_may_name_earlier_ones(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text("ARG A=one\nARG B=${A}:${T:-tag}\nARG C=${LATER}\nFROM $B\n")

    assert [use.image for use in images_of(path)] == ["one:tag"]
    assert [use.image for use in images_of(path, {"A": "given"})] == ["given:tag"]
    assert arguments_of(path) == {"A": "one", "B": "one:tag", "C": "${LATER}"}
