"""Section D: the start succeeds, and the process ends: Runtime.ExitError."""

import errno
import posixpath
from collections.abc import Iterator

from imagecheck.finding import Finding
from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.legacy_rules.legacy import error, warning
from imagecheck.legacy_rules.spawn import INTERPRETERS
from imagecheck.start.aws_base import AWS_ENTRYPOINT
from imagecheck.start.exec_chain import Cause, Chain
from imagecheck.subject import Subject

_SHELL = ("/bin/sh", "-c")
_CACHES = (
    "HF_HOME",
    "HOME",
    "MPLCONFIGDIR",
    "NLTK_DATA",
    "NPM_CONFIG_CACHE",
    "NUMBA_CACHE_DIR",
    "PYTHONPYCACHEPREFIX",
    "TMPDIR",
    "TRANSFORMERS_CACHE",
    "XDG_CACHE_HOME",
)
_CLIENTS = (
    "awslambdaric", "aws-lambda-ric", "aws_lambda_ric", "aws_lambda_ric.rb", "bootstrap",
    "lambda-adapter",
)  # fmt: skip
_CLIENT_JAR = "aws-lambda-java-runtime-interface-client"


def not_one_handler_name(subject: Subject) -> Iterator[Finding]:
    """D1: AWS's entrypoint takes one argument, and ends with status 142 for any other number."""
    start = subject.start
    if start.argv[:1] != (AWS_ENTRYPOINT,):
        return
    arguments = start.argv[1:]
    if len(arguments) == 1:
        return
    fix = 'CMD ["module.function"]: JSON, double quotes, one item'
    if arguments[:2] == _SHELL:
        yield error(
            "D1",
            f"CMD is in shell form ({' '.join(arguments[2:])}), so {AWS_ENTRYPOINT} gets"
            f" {len(arguments)} arguments in place of one handler name; exit status 142",
            fix,
        )
        return
    what = "no handler name" if not arguments else f"{len(arguments)} arguments: {arguments}"
    yield error("D1", f"{AWS_ENTRYPOINT} gets {what}; exit status 142", fix)


def npm_writes_to_home(subject: Subject) -> Iterator[Finding]:
    """D3: https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/56."""
    names = {posixpath.basename(argument) for argument in subject.start.argv}
    environment = {k.lower(): v for k, v in subject.start.environment.items()}
    safe = any(
        environment.get(name, "").startswith("/tmp")  # noqa: S108  (Lambda's only writable folder)
        for name in ("home", "npm_config_cache")
    )
    if names & {"npx", "npm"} and not safe:
        yield error(
            "D3",
            f"{' '.join(subject.start.argv)} writes to HOME, which is read-only; exit status 226",
            "ENV NPM_CONFIG_CACHE=/tmp/.npm, or start aws-lambda-ric itself",
        )


def no_runtime_client(subject: Subject) -> Iterator[Finding]:
    """D4. A program of its own kind may hold a runtime client; an interpreter does not."""
    files = subject.files
    chain = subject.chain
    if not files or not chain or chain.cause or not chain.program:
        return
    if subject.runtime and subject.runtime.cause not in (None, Cause.WRONG_MACHINE):
        yield error("D4", _no_bootstrap(subject.runtime), "build on one of AWS's base images")
        return
    problems = list(subject.judgement.of("D4"))
    if problems:
        yield from (error("D4", problem.found, problem.fix) for problem in problems)
        return
    name = posixpath.basename(chain.program.path)
    if name.rstrip("0123456789.") in INTERPRETERS and not next(iter(_of_client(files)), None):
        yield warning(
            "D4",
            f"{' '.join(subject.start.argv)} runs {chain.program.path}, and the image has no"
            " runtime client that is known here, so nothing may ask Lambda for events",
            "install awslambdaric (Python), aws-lambda-ric (Node) or AWS's web adapter",
        )


def wrapper_is_missing(subject: Subject) -> Iterator[Finding]:
    """D5: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html."""
    wrapper = subject.start.environment.get("AWS_LAMBDA_EXEC_WRAPPER")
    if not wrapper or not subject.files:
        return
    chain = subject.walk(subject.files, wrapper)
    if not chain.cause:
        return
    found = f"AWS_LAMBDA_EXEC_WRAPPER={wrapper} cannot be started: {chain}: {chain.cause}"
    fix = f"copy {wrapper} into the image with its exec bit, or remove the variable"
    if subject.runtime and not subject.runtime.cause:
        # As shells do it, and so AWS's bootstrap, which is a script.
        status = 127 if chain.errno in {errno.ENOENT, errno.ENOTDIR, None} else 126
        yield error("D5", f"{found}; exit status {status}", fix)
    else:
        yield warning("D5", f"{found}; only AWS's own runtimes look at it", fix)


def caches_outside_of_tmp(subject: Subject) -> Iterator[Finding]:
    """D6: only /tmp can be written to."""
    for name in _CACHES:
        folder = subject.start.environment.get(name, "")
        if folder.startswith("/") and not f"{folder}/".startswith(("/tmp/", "/mnt/")):  # noqa: S108
            yield warning(
                "D6",
                f"{name}={folder}: what is written there fails, since all but /tmp is read-only",
                f"ENV {name}=/tmp",
            )


def _of_client(files: FileSystem) -> Iterator[Node]:
    """Find the files of a runtime client, in any of the languages that AWS has one for."""
    for node in files.below("/"):
        name = posixpath.basename(node.path)
        if name.startswith(_CLIENT_JAR):
            yield node
        elif name in _CLIENTS and (name != "bootstrap" or node.path == "/var/runtime/bootstrap"):
            yield node
            yield from files.below(node.path)


def _no_bootstrap(chain: Chain) -> str:
    return f"{AWS_ENTRYPOINT} runs {chain}: {chain.cause}; exit status 127"


RULES = (
    not_one_handler_name,
    npm_writes_to_home,
    no_runtime_client,
    wrapper_is_missing,
    caches_outside_of_tmp,
)
