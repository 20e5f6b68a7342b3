"""The time for which the edge caches a response."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from local.distribution import Caching

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
_CACHED_ERRORS: Final = frozenset({404, 405, 410, 414, 500, 501, 502, 503, 504})
_CACHED_WITH_MAX_AGE: Final = frozenset({400, 403, 412, 415})
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
_ERRORS_THAT_MAY_FORBID: Final = frozenset({404, 410, 414, 501})
_ERROR_SECONDS: Final = 10
_FORBIDDEN: Final = re.compile(r"\b(no-cache|no-store|private)\b")
_MAX_AGE: Final = re.compile(r"(?<![\w-])max-age=(\d+)")
_SHARED_MAX_AGE: Final = re.compile(r"\bs-maxage=(\d+)")


def cached_seconds(
    status: int, cache_control: str, caching: Caching, error_seconds: Mapping[int, int]
) -> int:
    """Return for how many seconds a response is cached; 0 means not at all.

    The policy's minimum wins over an origin that forbids caching, except for errors:
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
    """
    age = _SHARED_MAX_AGE.search(cache_control) or _MAX_AGE.search(cache_control)
    forbidden = _FORBIDDEN.search(cache_control) is not None
    max_age = None if age is None or forbidden else min(int(age[1]), caching.maximum_s)
    if status >= HTTPStatus.BAD_REQUEST:
        if status not in _CACHED_ERRORS and not (
            status in _CACHED_WITH_MAX_AGE and max_age is not None
        ):
            return 0
        if forbidden and status in _ERRORS_THAT_MAY_FORBID:
            return 0
        return max(error_seconds.get(status, _ERROR_SECONDS), max_age or 0)
    if status != HTTPStatus.OK:
        return 0
    if forbidden:
        return caching.minimum_s
    return caching.default_s if max_age is None else max(max_age, caching.minimum_s)
