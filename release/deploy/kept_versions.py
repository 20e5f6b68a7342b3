"""The versions of a function, written down before the function is removed with all of them.

Lambda deletes versions with their function:
https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html
"""

import shlex
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import msgspec

from config.project import Stage, now
from imagecheck.errors import CommandError
from imagecheck.image.aws import aws_errors
from imagecheck.terminal import say, warn
from release.deploy.live import Live

_MOST: Final = 100
_AT_ONCE: Final = 8
_STREAMS: Final = "versions/"


class KeptVersion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A version: what ran, and as what. Of variables only the names are kept.

    ``image`` is its URI with the digest, null for a zip; ``code`` is Lambda's hash of the code.
    """

    function: str
    version: str
    live: bool
    image: str | None
    code: str
    modified_at: str
    architecture: str
    memory_mb: int
    timeout_seconds: int
    variables: tuple[str, ...]


def keep_versions(stage: Stage, live: Live) -> None:
    """Write the newest versions into the function's log, which stays, and say how to read both.

    One line of JSON a version, in a stream of its own. Nothing of this stops a deployment, which
    may be the way out of an incident: what cannot be written is shown instead.
    """
    group = f"/aws/lambda/{live.function_name}"
    say(
        f"Its log stays, with a list of its versions: {group}. To read them:\n"
        f"  {_tail(stage, group, '--since', '1d')}\n"
        f"  {_tail(stage, group, '--since', '1d', '--log-stream-name-prefix', _STREAMS)}"
    )
    lines: list[str] = []
    try:
        lines += [msgspec.json.encode(version).decode() for version in _versions(stage, live)]
        _write(stage, group, lines)
    except CommandError as error:
        shown = "".join(f"\n  {line}" for line in lines)
        warn(
            f"warning: the versions of {live.function_name} could not be written into its log:"
            f" {error.message}{shown}"
        )


def _versions(stage: Stage, live: Live) -> Sequence[KeptVersion]:
    """Return the newest versions, the oldest of them first."""
    name, client = live.function_name, stage.client("lambda")
    with aws_errors(f"the versions of {name}"):
        pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
        listed = [one for page in pages for one in page["Versions"] if one["Version"] != "$LATEST"]
        newest = sorted(listed, key=lambda one: int(one["Version"]))[-_MOST:]

        def kept(listed: Mapping[str, Any]) -> KeptVersion:
            version = listed["Version"]
            code = client.get_function(FunctionName=name, Qualifier=version)["Code"]
            return KeptVersion(
                function=name,
                version=version,
                live=version == live.version,
                image=code.get("ResolvedImageUri"),
                code=listed["CodeSha256"],
                modified_at=listed["LastModified"],
                architecture=" ".join(listed.get("Architectures", ())),
                memory_mb=listed["MemorySize"],
                timeout_seconds=listed["Timeout"],
                variables=tuple(sorted(listed.get("Environment", {}).get("Variables", ()))),
            )

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(kept, newest))


def _write(stage: Stage, group: str, lines: Sequence[str]) -> None:
    logs = stage.client("logs")
    # A colon is not allowed in the name of a stream.
    stream = _STREAMS + now().replace(":", "")
    at = int(time.time() * 1000)
    with aws_errors(f"the log {group}"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": at, "message": line} for line in lines]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def _tail(stage: Stage, group: str, *options: str) -> str:
    return shlex.join(["aws", "logs", "tail", group, "--region", stage.region, *options])
