"""What can happen to a request on its way to the table, and to its answer on the way back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from chaos.error_answers import error

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from chaos.message import Response
    from chaos.proxy import Exchange, Proxy

FIVE_MINUTES: Final = 300
# The function gives up after a second of silence.
_LATE: Final = (1.2, 5.0)
_FROZEN: Final = (1.2, 3.0)


def pass_on(exchange: Exchange) -> None:
    """Nothing."""
    exchange.answer(exchange.carry_out().data)


def lost_request(exchange: Exchange) -> None:
    """Carry out nothing, and answer nothing."""
    exchange.wait_until_given_up()


def lost_answer(exchange: Exchange) -> None:
    """Carry it out, and answer nothing."""
    exchange.carry_out()
    exchange.wait_until_given_up()


def late_request(exchange: Exchange) -> None:
    """Carry it out when the function has given up."""
    exchange.carry_out_later(exchange.rng.uniform(*_LATE))
    exchange.wait_until_given_up()


def late_after_reset(exchange: Exchange) -> None:
    """Reset the connection, and carry it out after some time."""
    exchange.carry_out_later(exchange.rng.uniform(0.05, _LATE[1]))
    exchange.reset()


def late_after_error(exchange: Exchange) -> None:
    """Answer with an error, and carry it out after some time."""
    exchange.carry_out_later(exchange.rng.uniform(0.05, _LATE[1]))
    exchange.answer(error(500, "InternalServerError"))


def twice(exchange: Exchange) -> None:
    """Carry it out twice; the first answer counts."""
    response = exchange.carry_out()
    exchange.carry_out()
    exchange.answer(response.data)


def twice_late(exchange: Exchange) -> None:
    """Carry it out, and once more after some time."""
    response = exchange.carry_out()
    exchange.carry_out_later(exchange.rng.uniform(0.05, _LATE[1]))
    exchange.answer(response.data)


def slow(exchange: Exchange) -> None:
    """Take some time, but not too much."""
    time.sleep(exchange.rng.uniform(0.1, 0.6))
    pass_on(exchange)


def slow_answer(exchange: Exchange) -> None:
    """Carry it out, and answer too late."""
    response = exchange.carry_out()
    time.sleep(exchange.rng.uniform(*_LATE))
    exchange.answer(response.data)


def _drip(exchange: Exchange, data: bytes) -> None:
    # Never silent for as long as the function waits, and for longer than it may take.
    for byte in data:
        exchange.answer(bytes([byte]))
        time.sleep(exchange.rng.uniform(0.1, 0.4))
    exchange.close()


def dripped_head(exchange: Exchange) -> None:
    """Answer byte by byte."""
    _drip(exchange, exchange.carry_out().data)


def dripped_body(exchange: Exchange) -> None:
    """Answer the body byte by byte."""
    response = exchange.carry_out()
    exchange.answer(response.head)
    _drip(exchange, response.body)


def closed(exchange: Exchange) -> None:
    """Close the connection."""
    exchange.close()


def closed_after(exchange: Exchange) -> None:
    """Carry it out, and close the connection."""
    exchange.carry_out()
    exchange.close()


def reset(exchange: Exchange) -> None:
    """Reset the connection."""
    exchange.reset()


def reset_after(exchange: Exchange) -> None:
    """Carry it out, and reset the connection."""
    exchange.carry_out()
    exchange.reset()


def reset_in_answer(exchange: Exchange) -> None:
    """Reset the connection within the answer."""
    data = exchange.carry_out().data
    exchange.answer(data[: exchange.rng.randrange(1, len(data))])
    time.sleep(0.01)
    exchange.reset()


def answered_twice(exchange: Exchange) -> None:
    """Answer twice."""
    exchange.answer(exchange.carry_out().data * 2)


def killed_before(exchange: Exchange) -> None:
    """Kill the process."""
    exchange.control.kill()
    exchange.close()


def killed_after(exchange: Exchange) -> None:
    """Carry it out, and kill the process."""
    exchange.carry_out()
    exchange.control.kill()
    exchange.close()


def killed_meanwhile(exchange: Exchange) -> None:
    """Kill the process, and carry it out after some time."""
    exchange.carry_out_later(exchange.rng.uniform(0.05, _LATE[1]))
    exchange.control.kill()
    exchange.close()


def frozen(exchange: Exchange) -> None:
    """Stop the process for some time, and answer meanwhile."""
    exchange.control.freeze(exchange.rng.uniform(*_FROZEN))
    pass_on(exchange)


def frozen_late(exchange: Exchange) -> None:
    """Stop the process, and carry the request out about when it goes on."""
    seconds = exchange.rng.uniform(*_FROZEN)
    exchange.control.freeze(seconds)
    exchange.carry_out_later(seconds * exchange.rng.uniform(0.5, 1.5))
    exchange.wait_until_given_up()


def clock_steps(exchange: Exchange) -> None:
    """Set the clock, and answer."""
    exchange.control.shift_clock(exchange.rng.choice((-FIVE_MINUTES, FIVE_MINUTES)))
    pass_on(exchange)


def clock(seconds: int) -> Callable[[Proxy], None]:
    """Set the clock some seconds ahead."""
    return lambda proxy: proxy.control.shift_clock(seconds)


def damaged(
    change: Callable[[Response, random.Random], bytes], *, is_closed: bool = True
) -> Callable[[Exchange], None]:
    """Damage the answer; close the connection, or leave it open."""

    def meet(exchange: Exchange) -> None:
        exchange.answer(change(exchange.carry_out(), exchange.rng))
        if is_closed:
            exchange.close()

    return meet


def refused(answer: bytes) -> Callable[[Exchange], None]:
    """Carry out nothing, and give this answer."""
    return lambda exchange: exchange.answer(answer)


def done_but(answer: bytes) -> Callable[[Exchange], None]:
    """Carry it out, and give this answer."""

    def meet(exchange: Exchange) -> None:
        exchange.carry_out()
        exchange.answer(answer)

    return meet
