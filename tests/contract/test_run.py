"""The play with the real service: what it asks, what it takes for wrong, what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contract.run import (
    ROUTES,
    ContractRequest,
    ContractResponse,
    ContractTestError,
    NoResponseError,
    run_contract_test,
)
from lambda_src.rooms import routes
from tests.support.contract_service import Service

STEPS = [
    "create",
    "join",
    "get",
    "get unchanged",
    "leave",
    "leave as the last",
    "get deleted room",
]


def body(**changed: Any) -> Callable[[ContractResponse], ContractResponse]:
    """Changes fields of an answer; None takes one out."""

    def change(answer: ContractResponse) -> ContractResponse:
        fields = {**answer.body, **changed}
        return replace(answer, body={k: v for k, v in fields.items() if v is not None})

    return change


def status(code: int, error: Any = None) -> Callable[[ContractResponse], ContractResponse]:
    return lambda answer: replace(answer, status=code, body={"error": {"code": error}})


def room(**changed: Any) -> Callable[[ContractResponse], ContractResponse]:
    return lambda answer: body(room={**(answer.body["room"] or {}), **changed})(answer)


def lost(_: ContractResponse) -> ContractResponse:
    raise NoResponseError("Runtime.ExitError: exit status 1")


class Broken:
    """The real service; one of its answers is changed on the way."""

    def __init__(
        self, service: Service, step: str, change: Callable[[ContractResponse], ContractResponse]
    ) -> None:
        self._service = service
        self._asked = 0
        self._step = STEPS.index(step)
        self._change = change

    def __call__(self, request: ContractRequest) -> ContractResponse:
        answer = self._service(request)
        self._asked += 1
        return self._change(answer) if self._asked == self._step + 1 else answer


def test_every_route_of_the_api_is_asked(service: Service) -> None:
    asked = set()

    def ask(request: ContractRequest) -> ContractResponse:
        asked.add(request.route)
        return service(request)

    run_contract_test(ask)

    assert asked == set(ROUTES) == {route.key for route in routes.ROUTES}


@pytest.mark.proof
def test_a_passed_test_returns_its_steps_and_leaves_no_room(service: Service) -> None:
    ticks = iter(range(100))

    steps = run_contract_test(service, clock=lambda: next(ticks) / 1000)

    assert [(step.name, step.status) for step in steps] == list(
        zip(STEPS, (200, 200, 200, 304, 200, 200, 404), strict=True)
    )
    assert {step.milliseconds for step in steps} == {1.0}
    assert service.rooms() == []


@pytest.mark.parametrize(
    ("step", "change", "found"),
    [
        ("create", status(500, "INTERNAL_ERROR"), "status 500 INTERNAL_ERROR, wanted 200"),
        ("create", status(503, "UNAVAILABLE"), "status 503 UNAVAILABLE, wanted 200"),
        ("create", body(roomId=None), "another form .*roomId"),
        ("create", body(roomId=5), "roomId is not a text"),
        ("create", body(playerToken=""), "playerToken is not a text"),
        ("create", lost, "Runtime.ExitError: exit status 1"),
    ],
)
def test_a_room_that_nobody_can_find_is_all_that_may_stay(
    service: Service, step: str, change: Callable[[ContractResponse], ContractResponse], found: str
) -> None:
    with pytest.raises(ContractTestError, match=found) as failed:
        run_contract_test(Broken(service, step, change))
    assert (failed.value.step, failed.value.done[1:]) == (step, ())


@pytest.mark.parametrize(
    ("step", "change", "found"),
    [
        ("create", room(players=[]), "the room has 0 players, wanted 1"),
        ("create", room(hostId="nobody"), "the host is not the player who joined first"),
        ("create", body(room=None), "another form .*room"),
        ("create", body(room="BCDFGH"), "another form"),
        ("join", lost, "Runtime.ExitError"),
        ("join", status(409, "ROOM_FULL"), "status 409 ROOM_FULL, wanted 200"),
        ("join", body(playerToken="of somebody else"), "not the one that was sent"),
        ("join", body(room=None), "another form"),
        ("join", room(players=[]), "the room has 0 players, wanted 2"),
        ("get", lost, "Runtime.ExitError"),
        ("get", body(version=99), "not the one that join answered"),
        ("get", lambda answer: replace(answer, headers={}), "there is no ETag"),
        ("get", lambda answer: replace(answer, body=None), "not the one that join answered"),
        ("get unchanged", status(200), "status 200, wanted 304"),
        ("leave", lost, "Runtime.ExitError"),
        ("leave", status(403, "FORBIDDEN"), "status 403 FORBIDDEN, wanted 200"),
        ("leave", body(room=None), "another form"),
        ("leave as the last", room(roomId="BCDFGH"), "the room is still there"),
        ("leave as the last", status(500), "status 500, wanted 200"),
        ("get deleted room", status(200), "status 200, wanted 404"),
    ],
)
def test_a_wrong_answer_is_named_with_its_step_and_no_room_is_left(
    service: Service, step: str, change: Callable[[ContractResponse], ContractResponse], found: str
) -> None:
    with pytest.raises(ContractTestError, match=found) as failed:
        run_contract_test(Broken(service, step, change))

    assert failed.value.step == step
    before = STEPS[: STEPS.index(step)]
    assert [done.name for done in failed.value.done][: len(before)] == before
    assert service.rooms() == []


def test_a_leave_that_only_says_so_is_seen_by_the_next_answer(service: Service) -> None:
    def ask(request: ContractRequest) -> ContractResponse:
        if request.method == "DELETE":
            return ContractResponse(200, {}, {"room": None})
        return service(request)

    with pytest.raises(ContractTestError, match="another form") as failed:
        run_contract_test(ask)
    assert failed.value.step == "leave"


def test_an_error_while_cleaning_up_hides_no_earlier_one(service: Service) -> None:
    def ask(request: ContractRequest) -> ContractResponse:
        if len(service.answers) == 2:
            raise NoResponseError("the connection is gone")
        return service(request)

    with pytest.raises(ContractTestError, match="the connection is gone") as failed:
        run_contract_test(ask)
    assert failed.value.step == "get"


@pytest.mark.parametrize("code", ["秘密", "a token: 12345", {"a": "room"}, ["X"], "A" * 99, None])
def test_only_what_looks_like_an_error_code_is_repeated(service: Service, code: Any) -> None:
    with pytest.raises(ContractTestError) as failed:
        run_contract_test(Broken(service, "create", status(500, code)))
    assert failed.value.found == "status 500, wanted 200"


@pytest.mark.proof
def test_no_failure_contains_a_token_or_names(service: Service) -> None:
    for step in STEPS:
        for change in (lost, lambda answer: replace(answer, status=418, body=answer.body)):
            with pytest.raises(ContractTestError) as failed:
                run_contract_test(Broken(service, step, change))
            for answer in service.answers:
                for field in ("roomId", "playerToken", "playerId"):
                    secret = (answer.body or {}).get(field)
                    assert not secret or secret not in str(failed.value)
