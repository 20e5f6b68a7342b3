"""Answers are held against the API document."""

from typing import Any

import pytest

from chaos.documented import problem
from contract.run import ContractResponse

JSON = {"content-type": "application/json"}
ERROR = {"error": {"code": "NOT_FOUND", "message": "Room not found"}}


@pytest.mark.parametrize(
    ("status", "headers", "body", "found"),
    [
        (404, JSON, ERROR, ""),
        (304, {}, None, ""),
        (418, JSON, ERROR, "answers 418"),
        (304, {}, {}, "answers 304 with a body"),
        (404, {}, ERROR, "without a content-type"),
        (404, JSON, {"error": {"code": "FORBIDDEN", "message": ""}}, "answers 404 with"),
        (500, JSON, {"message": "Internal Server Error"}, "as only API Gateway does"),
        (200, JSON, {"roomId": "BCDF23"}, "answers 200 with $"),
    ],
)
def test_an_answer_is_as_the_document_says(
    status: int, headers: dict[str, str], body: Any, found: str
) -> None:
    told = problem("GET /rooms/{roomId}", ContractResponse(status, headers, body))

    assert found in told
    assert bool(found) == bool(told)
