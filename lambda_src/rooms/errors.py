"""The errors of the API: one table, read by the router and by the API document."""

from collections.abc import Mapping
from enum import Enum


class ErrorCode(Enum):
    """An error: the member's name is the code on the wire, its value the HTTP status and message.

    Some messages are Japanese because the browser client that is already deployed shows
    ``error.message`` to its users as it is.
    """

    MISSING_BODY = (400, "Request body is required")
    INVALID_JSON = (400, "Request body must be valid JSON")
    VALIDATION_ERROR = (400, "Invalid request parameters")
    UNAUTHORIZED = (401, "A player token is required: Authorization: Bearer <playerToken>")
    FORBIDDEN = (403, "This player token belongs to nobody in this room")
    DIRECT_ACCESS = (403, "This API is reached through the address of its page only")
    NOT_FOUND = (404, "Not found")
    ROOM_FULL = (409, "ルームが満員です")
    ROOM_NOT_JOINABLE = (409, "ゲーム中のルームには参加できません")
    PAYLOAD_TOO_LARGE = (413, "Request body is too large")
    TOO_MANY_REQUESTS = (
        429,
        "部屋コードが何度も試されました。明日もう一度試すか、別の回線を使ってください",
    )
    INTERNAL_ERROR = (500, "Internal server error")
    UNAVAILABLE = (503, "ただいま混み合っています。少し待ってからもう一度お試しください")

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message


class RoomsError(Exception):
    """A refused request.

    Args:
        code: the error.
        message: replaces the message of the code.
        details: facts for the client, by name; ``VALIDATION_ERROR`` maps field to reason.
        cause: the cause of a server error, only for the log: an error code or the name of an
            exception, never text that could hold a name or a token.
        uncertain: whether the failed write may have been carried out.
        retry_after_s: the seconds after which a repeat may succeed; None where that is unknown.

    """

    def __init__(
        self,
        code: ErrorCode,
        message: str | None = None,
        *,
        details: Mapping[str, str | int] | None = None,
        cause: str | None = None,
        uncertain: bool = False,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message or code.message)
        self.code = code
        self.message = message or code.message
        self.details = details
        self.cause = cause
        self.uncertain = uncertain
        self.retry_after_s = retry_after_s
