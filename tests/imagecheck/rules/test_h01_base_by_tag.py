"""H1: a base image by tag."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import PINNED, RUN, Case, E, W, scratch

CASES = (
    *(
        Case(name=f"h1-{name}", make=scratch(RUN), dockerfile=text, findings={"H1": E})
        for name, text in {
            "tag": "FROM public.ecr.aws/lambda/nodejs:22\n",
            "no-tag": "FROM alpine AS build\nFROM build\n",
            "tag-in-an-argument": "ARG BASE=alpine:3\nFROM ${BASE}\n",
            "copy-from": f"{PINNED}COPY --from=datadog/lambda-extension:60 /opt/ /opt/\n",
        }.items()
    ),
    Case(
        name="h1-frontend",
        make=scratch(RUN),
        dockerfile=f"# syntax=docker/dockerfile:1\n{PINNED}",
        findings={"H1": W},
    ),
    Case(
        name="h1-good-frontend",
        make=scratch(RUN),
        dockerfile=f"# syntax=docker/dockerfile:1@sha256:{'0' * 64}\n{PINNED}",
    ),
    Case(
        name="h1-good-comment",
        make=scratch(RUN),
        dockerfile=f"# a comment\n# syntax=docker/dockerfile:1\n{PINNED}",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_h1(case: Case, finds: Finds) -> None:
    finds(case)
