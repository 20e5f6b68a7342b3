"""H1: a base image by tag."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import PINNED, RUN, Case, E, scratch

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
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_h1(case: Case, finds: Finds) -> None:
    finds(case)
