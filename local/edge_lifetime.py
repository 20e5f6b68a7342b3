"""How long the edge keeps what an origin said."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from local.distribution import Caching

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
_KEPT_ERRORS: Final = frozenset({404, 405, 410, 414, 500, 501, 502, 503, 504})
_KEPT_WHEN_TOLD: Final = frozenset({400, 403, 412, 415})
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
_ERRORS_THAT_MAY_FORBID: Final = frozenset({404, 410, 414, 501})
_ERROR_SECONDS: Final = 10
_FORBIDDEN: Final = re.compile(r"\b(no-cache|no-store|private)\b")
_MAX_AGE: Final = re.compile(r"(?<![\w-])max-age=(\d+)")
_SHARED_MAX_AGE: Final = re.compile(r"\bs-maxage=(\d+)")


def kept_seconds(
    status: int, cache_control: str, caching: Caching, error_seconds: Mapping[int, int]
) -> int:
    """Return for how many seconds an answer is kept; 0 is not at all.

    The policy's minimum wins over an origin that forbids to keep what is no error:
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
    """
    age = _SHARED_MAX_AGE.search(cache_control) or _MAX_AGE.search(cache_control)
    forbidden = _FORBIDDEN.search(cache_control) is not None
    told = None if age is None or forbidden else min(int(age[1]), caching.maximum_s)
    if status >= HTTPStatus.BAD_REQUEST:
        if status not in _KEPT_ERRORS and not (status in _KEPT_WHEN_TOLD and told is not None):
            return 0
        if forbidden and status in _ERRORS_THAT_MAY_FORBID:
            return 0
        return max(error_seconds.get(status, _ERROR_SECONDS), told or 0)
    if status != HTTPStatus.OK:
        return 0
    if forbidden:
        return caching.minimum_s
    return caching.default_s if told is None else max(told, caching.minimum_s)
