"""The bodies of HTTP answers: read to their end, or refused where that cannot be told."""

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError

from imagecheck.budget import Budget
from imagecheck.image.errors import ImageReadError
from imagecheck.image.http import in_words


def read_document(
    response: urllib3.BaseHTTPResponse, host: str, limit: int, budget: Budget | None = None
) -> bytes:
    """Read an answer of at most ``limit`` bytes.

    Raises:
        ImageReadError: it is longer, the connection breaks, or the budget's time is over.

    """
    pieces = []
    try:
        require_length(response, host)
        # One read would take a break for the end; the read after the last byte tells.
        while limit >= 0 and (piece := read_some(response, limit + 1)):
            pieces.append(piece)
            limit -= len(piece)
            if budget:
                budget.look_at_clock()
    except HTTPError as error:
        raise ImageReadError(f"{host} cannot be read: {in_words(error)}") from None
    finally:
        response.close()
    if limit < 0:
        raise ImageReadError(f"{host} sends a document that is too long to be one")
    return b"".join(pieces)


def read_some(response: urllib3.BaseHTTPResponse, size: int) -> bytes:
    """Read at most ``size`` bytes as they were sent; none are the end.

    Raises:
        urllib3.exceptions.HTTPError: the connection breaks.

    """
    try:
        # What has come, however little: waiting for more would ignore the clock.
        return response.read1(size, decode_content=False)
    except ValueError:  # http.client tries to read what says that it has less than no bytes
        raise ProtocolError from None


def require_length(response: urllib3.BaseHTTPResponse, host: str) -> None:
    """Refuse an answer whose end would look like a broken connection.

    https://www.rfc-editor.org/rfc/rfc9112#name-message-body-length

    Raises:
        ImageReadError: the answer has neither a length nor chunks.

    """
    if response.length_remaining is None and not response.chunked:
        response.close()
        raise ImageReadError(f"{host} does not say how long its answer is")
