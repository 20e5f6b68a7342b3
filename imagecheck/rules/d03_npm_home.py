"""npm writes where it may not."""

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import EXIT_ERROR, START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_TOOLS = {"npm", "npx"}
_FIRST, _MENDED = (8, 6, 0), (8, 15, 1)
_PACKAGE = "node_modules/npm/package.json"
_VERSION = re.compile(rb'"version"\s*:\s*"(\d+)\.(\d+)\.(\d+)')


def check(subject: "Subject") -> Iterator[Problem]:
    """Look for an npm of such a version on the way to the program that stays."""
    launch = subject.launch
    for process in launch.processes if launch else ():
        name = posixpath.basename(process.argv[0])
        if name not in _TOOLS or process.chain.cause or not process.file:
            continue
        environment = {k.lower(): v for k, v in process.environment.items()}
        homes = (environment.get(variable, "") for variable in ("home", "npm_config_cache"))
        if any(home.startswith("/tmp") for home in homes):  # noqa: S108  (all that is writable)
            return
        version = _version(subject, process.file.path)
        if version and _FIRST <= version < _MENDED:
            yield Problem(
                f"{' '.join(process.argv)} writes to the home folder, which is read-only, and npm"
                f" {'.'.join(map(str, version))} ends for that"
            )
        return


def _version(subject: "Subject", program: str) -> tuple[int, ...] | None:
    assert subject.files  # noqa: S101  (there is no launch without files)
    folder = program.partition("node_modules/npm/")[0]
    node = subject.files.find(posixpath.join(folder, _PACKAGE))
    match = _VERSION.search(subject.contents([node])[node.path]) if node else None
    return tuple(map(int, match.groups())) if match else None


RULE = Rule(
    id="D3",
    title="npm writes to a read-only folder",
    severity="error",
    error_type=EXIT_ERROR,
    when=START,
    why=(
        "npm and npx write logs and a cache into the home folder. On Lambda that folder does"
        " not exist, and the file system is read-only. npm 8.6.0 to 8.15.0 end because of that."
        " Earlier and later versions continue without: versions from 6 to 11 were tried."
    ),
    fix=(
        "Start the program itself, such as node_modules/.bin/aws-lambda-ric, or set ENV"
        " NPM_CONFIG_CACHE=/tmp/.npm."
    ),
    source="https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/56",
    bad="""\
# npm 8.11 in the image
ENTRYPOINT ["npx", "aws-lambda-ric"]
""",
    good="""\
ENTRYPOINT ["/app/node_modules/.bin/aws-lambda-ric"]
""",
    check=check,
)
