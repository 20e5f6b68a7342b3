"""The connection to GitHub with the token of a workflow, and its errors in one sentence."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from urllib3.exceptions import LocationParseError
from urllib3.util import Retry, parse_url

from imagecheck.errors import FailedError
from imagecheck.image.reference import RegistryReference
from imagecheck.terminal import printable

if TYPE_CHECKING:
    from github import Github, GithubException
    from github.Repository import Repository

DEFAULT_API: Final = "https://api.github.com"
TIMEOUT_SECONDS = 30
"""The longest silence."""
_API_HINT: Final = f"check GITHUB_API_URL; GitHub's own is {DEFAULT_API}"
_NEEDED = ("GITHUB_TOKEN", "GITHUB_REPOSITORY")
_MAX_WORDS = 300
_SERVER_ERROR = 500
# A gateway that fails may work again; what writes is not sent twice, since it may have been done.
_RETRY = Retry(
    total=1,
    connect=0,
    # So that silence stays a timeout, by name.
    read=False,
    allowed_methods=["GET"],
    status_forcelist=[502, 503, 504],
    respect_retry_after_header=False,
    raise_on_status=False,
)


@dataclass(frozen=True)
class Connection:
    """A repository at GitHub, and GitHub itself, asked with one token."""

    github: "Github"
    repository: "Repository"


def connect(environment: Mapping[str, str]) -> Connection:
    """Find the repository that GITHUB_REPOSITORY names, as GITHUB_TOKEN may see it.

    ``environment`` is as GitHub Actions sets it:
    https://docs.github.com/en/actions/reference/workflows-and-actions/variables

    Raises:
        FailedError: a variable is missing or wrong, or GitHub does not answer or knows none.

    """
    missing = [name for name in _NEEDED if not environment.get(name)]
    if missing:
        raise FailedError(
            f"{' and '.join(missing)} must be set",
            hint="in a job of GitHub Actions: `env: GITHUB_TOKEN: ${{ github.token }}`;"
            " GITHUB_REPOSITORY (OWNER/NAME) is set there",
        )
    name = environment["GITHUB_REPOSITORY"]
    if name.count("/") != 1 or not all(name.split("/")):
        raise FailedError("GITHUB_REPOSITORY is not OWNER/NAME")
    api = environment.get("GITHUB_API_URL") or DEFAULT_API
    _require_safe(api)
    # It takes a third of a second, and most commands do not need it.
    from github import Auth, Github

    github = Github(
        auth=Auth.Token(environment["GITHUB_TOKEN"]),
        base_url=api,
        timeout=TIMEOUT_SECONDS,
        user_agent="hima-five-bomber-release",
        per_page=100,
        retry=_RETRY,
        # A command sends a handful of requests, one after the other.
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    with github_errors(f"the repository {name} cannot be read", permission="contents: read"):
        repository = github.get_repo(name)
        # PyGithub takes any answer, and reads the name from the address where there is none.
        if "full_name" not in repository.raw_data:
            raise TypeError
        return Connection(github, repository)


@contextmanager
def github_errors(what: str, *, permission: str) -> Iterator[None]:
    """Turn errors into one sentence that has neither the token nor an address in it.

    ``what`` begins the sentence, and ``permission`` is what a job needs for it. Catch
    ``UnknownObjectException`` inside, where "there is none" means something.

    Raises:
        FailedError: in place of every error of GitHub's and of the network's.

    """
    from github import GithubException
    from requests import RequestException

    try:
        yield
    except GithubException as error:
        raise _refused(what, error, permission) from error
    except RequestException as error:
        raise _unreachable(what, error) from error
    # PyGithub's and ours, for an answer or a redirection that is not one of GitHub's API.
    except (RuntimeError, ValueError, AssertionError, TypeError) as error:
        raise FailedError(f"{what}: the answer is not GitHub's", hint=_API_HINT) from error


def _require_safe(api: str) -> None:
    """Let the token go over HTTPS alone, except to this machine."""
    try:
        url = parse_url(api)
    except LocationParseError as error:
        raise FailedError("GITHUB_API_URL is not a URL", hint=_API_HINT) from error
    here = RegistryReference(url.host or "", "").is_loopback
    if not url.host or not (url.scheme == "https" or (url.scheme == "http" and here)):
        raise FailedError("GITHUB_API_URL is not an https:// address", hint=_API_HINT)


def _refused(what: str, error: "GithubException", permission: str) -> FailedError:
    """Return what a status means, and what to do.

    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
    """
    words = _words(error)
    lower = words.lower()
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    limited = "rate limit" in lower or headers.get("x-ratelimit-remaining") == "0"
    why, hint = f"GitHub refuses it ({error.status}): {words or 'no reason given'}", None
    match error.status:
        case 401:
            why = "GitHub rejects GITHUB_TOKEN: it is wrong, or has expired"
        case 403 | 429 if limited:
            why, hint = "GitHub's rate limit is used up", f"try again {_when(headers)}"
        case 403 if "not permitted to create or approve pull requests" in lower:
            why = "this repository does not let workflows open pull requests"
            hint = (
                "turn on `Allow GitHub Actions to create and approve pull requests` (Settings,"
                " Actions, General)"
            )
        case 403 if "resource not accessible by" in lower:
            why = "GITHUB_TOKEN does not have the permission"
            hint = (
                f"give the job `permissions: {permission}`; the jobs of a pull request from a fork"
                " never get it"
            )
        case 404:
            why = "it does not exist at GitHub, or GITHUB_TOKEN may not see it"
            hint = f"the job needs `permissions: {permission}`"
        case status if status >= _SERVER_ERROR:
            why, hint = f"GitHub has a server error ({status})", "try again later"
    return FailedError(f"{what}: {why}", hint=hint)


def _words(error: "GithubException") -> str:
    """Return GitHub's own words for it, with the details of a 422."""
    data = error.data if isinstance(error.data, dict) else {}
    words = [str(data.get("message", ""))]
    for detail in data.get("errors") or []:
        known = detail.get("message") if isinstance(detail, dict) else detail
        words.append(str(known or json.dumps(detail)))
    return printable("; ".join(word for word in words if word))[:_MAX_WORDS]


def _when(headers: Mapping[str, str]) -> str:
    """Return when the limit ends.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    if (wait := headers.get("retry-after", "")).isdecimal():
        return f"in {wait} s"
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return f"after {datetime.fromtimestamp(int(reset), UTC):%H:%M:%S} UTC"
    return "in some minutes"


def _unreachable(what: str, error: Exception) -> FailedError:
    """Return why no answer came, without the library's words, which have the address in them."""
    from requests import exceptions

    match error:
        case exceptions.Timeout():
            why, hint = f"GitHub did not answer within {TIMEOUT_SECONDS} s", "try again later"
        case exceptions.SSLError():
            why = "the certificate of GitHub's API is not trusted on this machine"
            hint = "check GITHUB_API_URL and the proxy"
        case _:
            why = f"GitHub cannot be reached ({type(error).__name__})"
            hint = "check the network, GITHUB_API_URL and the proxy"
    return FailedError(f"{what}: {why}", hint=hint)
