"""Plain HTTP is for this machine only. ``test_build`` shows which bases are refused."""

from pathlib import Path

import pytest

from release.build.base_image import is_on_this_machine


@pytest.mark.parametrize(
    ("dockerfile", "here"),
    [
        ("FROM localhost:5000/base:1", True),
        ("FROM 127.0.0.1:5000/base:1 AS x\nFROM x", True),
        ("FROM public.ecr.aws/lambda/python:3.13", False),
        ("FROM localhost.example.org/base:1", False),
        ("FROM localhost:5000/base:1\nCOPY --from=example.org/tool:1 /x /y", False),
        ("ARG B=localhost:5000/base:1\nFROM $B", False),
    ],
)
def test_certificates_are_left_out_only_where_all_images_are_on_this_machine(
    tmp_path: Path, dockerfile: str, here: bool
) -> None:
    (tmp_path / "Dockerfile").write_text(dockerfile)

    assert is_on_this_machine(tmp_path / "Dockerfile", {"B": "example.org/base:1"}) is here
