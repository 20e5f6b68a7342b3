"""The page over HTTPS, as a browser gets it."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

import urllib3
from urllib3.exceptions import HTTPError

from contract.run import NoResponseError
from imagecheck.errors import FailedError
from imagecheck.image.http import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, in_words
from release.deploy.smoke import MAX_ANSWER_SECONDS, read_bounded

# What the page names, without which it does not work.
_ASSET: Final = re.compile(r'"(assets/[^"]+)"')
_OK: Final = 200
# What the API answers to a create without a body, as long as it is the API that is asked.
_REFUSED: Final = 400
_HEADERS: Final = ("content-security-policy", "x-content-type-options", "referrer-policy")


@dataclass(frozen=True)
class LoadedFile:
    """Something that was asked for and came as it should; ``size`` is in bytes over the wire."""

    name: str
    status: int
    size: int
    milliseconds: float


class PageError(Exception):
    """Something of the page is not as it should be; ``got`` is what was, before."""

    def __init__(self, message: str, got: tuple[LoadedFile, ...]) -> None:
        super().__init__(message)
        self.got = got


def look_at_page(url: str, *, clock: Callable[[], float] = time.monotonic) -> list[LoadedFile]:
    """Get the page, all that it names, and a refusal of the API next to it; no room is made.

    The page must be asked for every time, its assets kept, and browsers told of its limits.
    ``url`` is the page's, without a slash at its end.

    Raises:
        PageError: something is missing or wrong.
        FailedError: nothing answers there.

    """
    browser = _Browser(url, clock)
    headers, content = browser.ask("GET", "/", _OK)
    if missing := [name for name in _HEADERS if name not in headers]:
        browser.refuse(f"GET /: there is no {', '.join(missing)}")
    if headers.get("cache-control") != "no-cache":
        browser.refuse(f"GET /: cache-control is {headers.get('cache-control')}, wanted no-cache")
    assets = sorted({*_ASSET.findall(content.decode("utf-8", "replace"))})
    if not assets:
        browser.refuse("GET /: this is not the page, it names no assets")
    for path in assets:
        headers, _ = browser.ask("GET", f"/{path}", _OK)
        if "immutable" not in headers.get("cache-control", ""):
            browser.refuse(f"GET /{path}: cache-control is {headers.get('cache-control')}")
    _, content = browser.ask("POST", "/rooms", _REFUSED)
    if b'"MISSING_BODY"' not in content:
        browser.refuse("POST /rooms: this is not the API")
    return browser.got


class _Browser:
    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        self._url = url
        self._clock = clock
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS)
        )
        self.got: list[LoadedFile] = []

    def ask(self, method: str, path: str, status: int) -> tuple[Mapping[str, str], bytes]:
        started = self._clock()
        name = f"{method} {path}"
        try:
            response = self._pool.request(
                method,
                self._url + path,
                headers={"Accept-Encoding": "gzip"},
                redirect=False,
                retries=False,
                preload_content=False,
            )
            try:
                content = read_bounded(response, started + MAX_ANSWER_SECONDS, self._clock)
            finally:
                response.close()
        except HTTPError as error:
            raise FailedError(
                f"{name}: {self._url} cannot be reached: {in_words(error)}"
            ) from error
        except NoResponseError as error:
            raise FailedError(f"{name}: {error}") from error
        if response.status != status:
            self.refuse(f"{name}: status {response.status}, wanted {status}")
        milliseconds = round((self._clock() - started) * 1000, 1)
        self.got.append(LoadedFile(name, response.status, len(content), milliseconds))
        headers = {key.lower(): value for key, value in response.headers.items()}
        if headers.get("content-encoding") == "gzip":
            content = urllib3.response.GzipDecoder().decompress(content)
        return headers, content

    def refuse(self, message: str) -> NoReturn:
        raise PageError(message, tuple(self.got))
