"""The kinds of fault: one table, one sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chaos import damage, error_answers
from chaos.error_answers import error, page
from chaos.interference import (
    FIVE_MINUTES,
    answered_twice,
    clock,
    clock_steps,
    closed,
    closed_after,
    damaged,
    done_but,
    dripped_body,
    dripped_head,
    frozen,
    frozen_late,
    killed_after,
    killed_before,
    killed_meanwhile,
    late_after_error,
    late_after_reset,
    late_request,
    lost_answer,
    lost_request,
    pass_on,
    refused,
    reset,
    reset_after,
    reset_in_answer,
    slow,
    slow_answer,
    twice,
    twice_late,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaos.proxy import Exchange, Proxy

FUNCTION_TIMEOUT_S: Final = 20
"""As deployed: longer than the longest operation."""


def _nothing(_proxy: Proxy) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One kind of fault.

    ``meet`` is what happens to a request that it hits, ``before`` what happens before an operation
    and ``after`` what ends that. ``ends_process``: the operation may end without an answer.
    ``is_denial``: the table refuses the function for good, which is the one reason for a 500.
    ``share``: how often it is drawn, beside the others.
    """

    name: str
    what: str
    meet: Callable[[Exchange], None] = pass_on
    before: Callable[[Proxy], None] = _nothing
    after: Callable[[Proxy], None] = _nothing
    timeout_s: float = FUNCTION_TIMEOUT_S
    ends_process: bool = False
    is_denial: bool = False
    share: float = 1

    @property
    def meets_all(self) -> bool:
        """Whether it is there during all of an operation, and not with some requests."""
        return self.before is not _nothing


NO_FAULT: Final = Fault(name="none", what="Nothing happens.")


def _kind(name: str, what: str, meet: Callable[[Exchange], None]) -> Fault:
    return Fault(name=name, what=what, meet=meet)


def _killing(name: str, what: str, meet: Callable[[Exchange], None]) -> Fault:
    # Each costs the start of a process.
    return Fault(name=name, what=what, meet=meet, ends_process=True, share=0.25)


_LOST: Final = (
    _kind("lost-request", "The request is lost.", lost_request),
    _kind("lost-answer", "The request is carried out, and its answer is lost.", lost_answer),
    _kind(
        "late-request",
        "The request is carried out 1.2 to 5 s later; nothing answers.",
        late_request,
    ),
    _kind(
        "late-after-reset",
        "The connection is reset, and the request is carried out up to 5 s later.",
        late_after_reset,
    ),
    _kind(
        "late-after-error",
        "A 500 is answered, and the request is carried out up to 5 s later.",
        late_after_error,
    ),
    _kind("twice", "The request is carried out twice at once.", twice),
    _kind(
        "twice-late", "The request is answered, and carried out again up to 5 s later.", twice_late
    ),
    _kind("answered-twice", "The answer comes twice on one connection.", answered_twice),
)

_TIME: Final = (
    _kind("slow", "The request takes 0.1 to 0.6 s.", slow),
    _kind("slow-answer", "The answer comes after 1.2 to 5 s.", slow_answer),
    _kind("dripped-head", "The answer comes byte by byte.", dripped_head),
    _kind("dripped-body", "The answer's body comes byte by byte.", dripped_body),
    Fault(
        name="clock-ahead",
        what="The clock is 5 minutes ahead.",
        before=clock(FIVE_MINUTES),
        after=clock(0),
    ),
    Fault(
        name="clock-behind",
        what="The clock is 5 minutes behind.",
        before=clock(-FIVE_MINUTES),
        after=clock(0),
    ),
    Fault(
        name="clock-steps",
        what="The clock steps by 5 minutes while a request is under way.",
        meet=clock_steps,
        after=clock(0),
    ),
    _kind("frozen", "The process stands still for 1.2 to 3 s.", frozen),
    _kind(
        "frozen-late",
        "The process stands still, and the request is carried out about when it goes on.",
        frozen_late,
    ),
)

_CONNECTION: Final = (
    Fault(
        name="refused",
        what="The connection is refused.",
        before=lambda proxy: proxy.refuse(),
        after=lambda proxy: proxy.accept_again(),
    ),
    _kind("closed", "The connection is closed before the request is carried out.", closed),
    _kind("closed-after", "The connection is closed after that.", closed_after),
    _kind("reset", "The connection is reset before the request is carried out.", reset),
    _kind("reset-after", "The connection is reset after that.", reset_after),
    _kind("reset-in-answer", "The connection is reset in the answer.", reset_in_answer),
)

_DAMAGED: Final = (
    _kind(
        "cut-in-first-letters",
        "The answer ends before its status.",
        damaged(damage.cut_in_first_letters),
    ),
    _kind(
        "cut-in-status-line",
        "The answer ends after its status.",
        damaged(damage.cut_in_status_line),
    ),
    _kind("cut-in-headers", "The answer ends in its headers.", damaged(damage.cut_in_headers)),
    _kind("cut-after-head", "The answer ends before its body.", damaged(damage.cut_after_head)),
    _kind("cut-in-body", "The answer ends in its body.", damaged(damage.cut_in_body)),
    _kind(
        "cut-in-letter",
        "The answer ends inside of a letter of several bytes.",
        damaged(damage.cut_in_letter),
    ),
    _kind("garbage", "The body is other bytes.", damaged(damage.garbage)),
    _kind("other-json", "The body is JSON of another shape.", damaged(damage.other_json)),
    _kind("blank", "The answer is an empty 200.", damaged(damage.blank)),
    _kind("empty-object", "The answer is a 200 with `{}`.", damaged(damage.empty_object)),
    _kind("html-page", "The answer is a 200 with a page.", damaged(damage.html_page)),
    _kind("no-http", "The answer is no HTTP.", damaged(damage.no_http)),
    _kind("wrong-checksum", "The checksum is of another body.", damaged(damage.wrong_checksum)),
    _kind("no-checksum", "The checksum is missing.", damaged(damage.no_checksum)),
    _kind("checksum-of-letters", "The checksum is no number.", damaged(damage.checksum_of_letters)),
    _kind(
        "flipped-bit-in-head",
        "One bit of the head is another.",
        damaged(damage.flipped_bit_in_head),
    ),
    _kind(
        "flipped-bit-in-body",
        "One bit of the body is another.",
        damaged(damage.flipped_bit_in_body),
    ),
    _kind(
        "longer-than-it-is",
        "The head promises more bytes than come, and all is silent.",
        damaged(damage.longer_than_it_is, is_closed=False),
    ),
    _kind(
        "shorter-than-it-is",
        "The head promises fewer bytes than come.",
        damaged(damage.shorter_than_it_is, is_closed=False),
    ),
)

_ERRORS: Final = (
    _kind(
        "throughput-exceeded",
        "The table has no capacity left (400).",
        refused(error(400, "ProvisionedThroughputExceededException")),
    ),
    _kind(
        "throttled",
        "The account sends too many requests (400).",
        refused(error(400, "ThrottlingException")),
    ),
    _kind(
        "too-many-requests",
        "Something on the way sends 429.",
        refused(error(429, "TooManyRequestsException")),
    ),
    _kind(
        "transaction-conflict",
        "The item is in a transaction (400).",
        refused(error(400, "TransactionConflictException")),
    ),
    _kind(
        "invalid-signature",
        "The signature does not fit (400).",
        refused(error(400, "InvalidSignatureException", service="com.amazon.coral.service")),
    ),
    _kind(
        "expired-token",
        "The credentials have expired (400).",
        refused(error(400, "ExpiredTokenException", service="com.amazon.coral.service")),
    ),
    _kind(
        "error-not-done", "A 500, and nothing was done.", refused(error(500, "InternalServerError"))
    ),
    _kind(
        "error-done",
        "A 500, and the request was carried out.",
        done_but(error(500, "InternalServerError")),
    ),
    _kind("unavailable-page", "A 503 with a page of HTML.", refused(page(503))),
    _kind("forbidden-page", "A 403 with a page of HTML.", refused(page(403))),
    _kind("redirect", "A 307 to another address.", refused(error_answers.REDIRECT)),
    Fault(
        name="access-denied",
        what="The function's role may not (400).",
        is_denial=True,
        meet=refused(error(400, "AccessDeniedException")),
    ),
)

_PROCESS: Final = (
    _killing(
        "killed-before", "The process is killed before its request is carried out.", killed_before
    ),
    _killing("killed-after", "The process is killed after that.", killed_after),
    _killing(
        "killed-meanwhile",
        "The process is killed, and its request is carried out later.",
        killed_meanwhile,
    ),
    Fault(
        name="function-timeout",
        what="Lambda ends the function while it waits.",
        meet=late_request,
        timeout_s=0.8,
        ends_process=True,
        share=0.25,
    ),
)

FAULTS: Final = (*_LOST, *_TIME, *_CONNECTION, *_DAMAGED, *_ERRORS, *_PROCESS)
