"""Section C: whether the entrypoint can be started. What cannot is Runtime.InvalidEntrypoint."""

import errno
import posixpath
import re
from collections.abc import Iterator, Mapping

from imagecheck.finding import Finding
from imagecheck.image.elf import machine_name
from imagecheck.image.filesystem import PathError
from imagecheck.image.layer import Kind
from imagecheck.legacy_rules.legacy import error, warning
from imagecheck.start.aws_base import AWS_BOOTSTRAP
from imagecheck.start.exec_chain import Cause, Chain, errno_name
from imagecheck.start.search_path import search_folders
from imagecheck.subject import Subject

INTERPRETERS = (
    "bash", "busybox", "dash", "gunicorn", "java", "nginx", "node", "perl", "php", "python", "ruby",
    "sh", "uvicorn",
)  # fmt: skip
"""What runs somebody else's program, by name, without the version."""
_COVERED = ("/tmp/", "/dev/", "/proc/", "/sys/")  # noqa: S108
_HANDLER = re.compile(r"[\w/-]+(?:\.[\w/-]+)+")
_SCRIPTS = (".bash", ".bin", ".exe", ".jar", ".js", ".mjs", ".pl", ".py", ".rb", ".sh")
# include/uapi/linux/binfmts.h (MAX_ARG_STRLEN) and fs/exec.c, for the usual stack of 8 MiB.
_MAX_STRING_BYTES = 131072
_MAX_STRINGS_BYTES = 2 * 1024**2
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_MAX_ENVIRONMENT_BYTES = 4096

_ROWS = {
    Cause.MISSING: "C6",
    Cause.NOT_ON_PATH: "C6",
    Cause.NOT_PERMITTED: "C7",
    Cause.NOT_A_FILE: "C7",
    Cause.NO_FORMAT: "C8",
    Cause.CARRIAGE_RETURN: "C9",
    Cause.INTERPRETER_MISSING: "C10",
    Cause.NESTED_SCRIPTS: "C10",
    Cause.LOADER_MISSING: "C11",
    Cause.LOADER_BROKEN: "C11",
    Cause.FOREIGN_FORMAT: "C12",
    Cause.CUT_OFF: "C12",
    Cause.DANGLING_LINK: "C13",
    Cause.LINK_LOOP: "C13",
}
_FIXES = {
    Cause.MISSING: "copy it into the last stage of the Dockerfile, or name what is there",
    Cause.NOT_ON_PATH: "install {at} in the last stage of the Dockerfile, or name it by its path",
    Cause.NOT_PERMITTED: "RUN chmod a+rx {at}, and a+x for the folders above it",
    Cause.NOT_A_FILE: "name a program, not {at}",
    Cause.NO_FORMAT: "begin the file with #!/bin/sh (or its own interpreter), without a BOM",
    Cause.CARRIAGE_RETURN: "*.sh text eol=lf in .gitattributes, then: git add --renormalize .",
    Cause.INTERPRETER_MISSING: "install the interpreter in the image, or name one that is there",
    Cause.NESTED_SCRIPTS: "let the shebang of {at} name a program in place of a script",
    Cause.LOADER_MISSING: "build on the base that it runs on: glibc and musl do not mix",
    Cause.LOADER_BROKEN: "take the loader from the base image: nothing should replace it",
    Cause.FOREIGN_FORMAT: "build the program for Linux and the function's CPU",
    Cause.CUT_OFF: "build again: the file {at} is not whole",
    Cause.DANGLING_LINK: "let ENTRYPOINT name the file itself",
    Cause.LINK_LOOP: "let ENTRYPOINT name the file itself",
}


def image_of_another_cpu(subject: Subject) -> Iterator[Finding]:
    """C1, the incident: https://github.com/aws/aws-lambda-base-images/issues/26 is one report."""
    config = subject.image.config
    function = subject.function
    if not config or config.architecture == function.image_architecture:
        return
    differ = (
        f"the image is for {config.architecture or 'no CPU that it names'}, the function for"
        f" {function.image_architecture} ({function.architecture})"
    )
    rebuild = f"docker buildx build --platform linux/{function.image_architecture} …"
    other = {"arm64": "x86_64", "x86_64": "arm64"}[function.architecture]
    if subject.chain and subject.chain.machine == function.machine:
        yield warning(
            "C1",
            f"{differ}; the programs in it are {function.architecture} all the same, so its"
            " configuration is wrong",
            rebuild,
        )
        return
    chain = subject.chain
    evidence = f": {_cannot(subject, chain)}" if chain and chain.machine else ""
    yield error("C1", differ + evidence, f"{rebuild} (or let the function be {other})")


def programs_of_another_cpu(subject: Subject) -> Iterator[Finding]:
    """C2: the configuration says what is wanted, but the files do not."""
    if subject.is_wholly_of_another_cpu or not subject.files:
        return
    fix = f"copy files of {subject.function.architecture} only: look at ADD and COPY --from"
    chain = subject.chain
    if chain and chain.cause is Cause.WRONG_MACHINE:
        type_ = None if chain.errno else "Runtime.ExitError"
        yield error("C2", _cannot(subject, chain), fix, error_type=type_)
    runtime = subject.runtime
    if runtime and runtime.cause is Cause.WRONG_MACHINE and not (chain and chain.cause):
        yield error("C2", _cannot(subject, runtime), fix, error_type="Runtime.ExitError")
    others = [
        node.path
        for folder in ("/var/runtime", "/var/lang")
        for node in subject.files.below(folder)
        if node.entry.elf
        and node.entry.elf.machine != subject.function.machine
        # What was installed into the runtime is a package, and E7 looks at packages.
        and not any(f"/{name}/" in node.path for name in ("site-packages", "dist-packages"))
    ]
    if others:
        yield error(
            "C2",
            f"{len(others)} file(s) of the runtime are of another CPU than"
            f" {subject.function.architecture}: {', '.join(others[:3])}",
            fix,
            error_type="Runtime.ExitError",
        )


def nothing_or_the_handler_is_started(subject: Subject) -> Iterator[Finding]:
    """C3 and C4."""
    argv = subject.start.argv
    if not subject.image.config:
        return
    if not argv:
        yield error(
            "C3",
            "neither ENTRYPOINT nor CMD: there is nothing to start",
            'ENTRYPOINT ["/lambda-entrypoint.sh"] on an AWS base, and CMD ["module.function"]',
        )
    elif _is_handler(subject) and not subject.start.entrypoint:
        yield error(
            "C3",
            f"no ENTRYPOINT, so CMD itself is started: {argv[0]!r} is a handler and no program",
            "take a base image with an ENTRYPOINT, or set it to the runtime client:"
            ' ENTRYPOINT ["/usr/bin/python3", "-m", "awslambdaric"]',
        )
    elif _is_handler(subject):
        yield error(
            "C4",
            f"ENTRYPOINT is the handler {argv[0]!r}, which is no program",
            f'name the handler in CMD ["{argv[0]}"] (ImageConfig: Command), and leave ENTRYPOINT',
        )


def entrypoint_cannot_be_started(subject: Subject) -> Iterator[Finding]:
    """C6 to C13, to the errno that the kernel answers."""
    chain = subject.chain
    if not chain or not chain.cause or chain.cause is Cause.WRONG_MACHINE:
        return
    if chain.cause is Cause.NOT_ON_PATH and _is_handler(subject):
        return
    fix = _FIXES[chain.cause].format(at=chain.at)
    type_ = None if chain.errno else "Runtime.ExitError"
    yield error(_ROWS[chain.cause], _cannot(subject, chain), fix, error_type=type_)


def program_behind_cannot_be_started(subject: Subject) -> Iterator[Finding]:
    """C2 and C6 to C13, of what the entrypoint starts in its turn."""
    launch = subject.launch
    process = launch.failed if launch else None
    if not process or not process.chain.cause or process.argv[0] == AWS_BOOTSTRAP:
        return
    chain = process.chain
    assert chain.cause  # noqa: S101  (it failed)
    status = f"; exit status {process.exit_status}" if process.exit_status else ""
    why = (
        _searched(process.environment, subject, chain.at)
        if chain.cause is Cause.NOT_ON_PATH
        else f"{chain}: {chain.cause}"
    )
    yield error(
        _ROWS.get(chain.cause, "C2"),
        f"{process.by} runs {process.argv[0]}: {why}{status}",
        _FIXES.get(chain.cause, "copy files of the function's CPU only").format(at=chain.at),
        error_type="Runtime.ExitError",
    )


def script_may_not_be_read(subject: Subject) -> Iterator[Finding]:
    """C7, of a script: the kernel starts its interpreter, which then may not open it."""
    if not subject.files or not subject.chain or subject.chain.cause:
        return
    node = subject.files.find(posixpath.join(subject.start.workdir or "/", subject.start.argv[0]))
    if node and not node.entry.elf and not node.is_readable():
        yield error(
            "C7",
            f"{node.path} has mode {node.entry.mode:04o}: it is started, but its interpreter may"
            " not read it",
            f"RUN chmod a+rx {node.path}",
            error_type="Runtime.ExitError",
        )


def script_of_an_interpreter(subject: Subject) -> Iterator[Finding]:
    """C6 and C7, of the file that an ENTRYPOINT such as python3 /app/main.py names."""
    argv = subject.start.argv
    if not subject.files or not subject.chain or subject.chain.cause or len(argv) == 1:
        return
    name = posixpath.basename(argv[0]).rstrip("0123456789.")
    if name not in INTERPRETERS or not argv[1].startswith("/"):
        return
    node = subject.files.find(argv[1])
    if node is None:
        found = f"{argv[0]} is started, and there is no {argv[1]} for it"
        fix = "copy it into the last stage of the Dockerfile, or name what is there"
        yield error("C6", found, fix, error_type="Runtime.ExitError")
    elif not node.is_readable():
        found = f"{argv[0]} is started, and may not read {node.path} ({node.entry.mode:04o})"
        yield error("C7", found, f"RUN chmod a+r {node.path}", error_type="Runtime.ExitError")


def hidden_at_run_time(subject: Subject) -> Iterator[Finding]:
    """C6 and C15: what Lambda puts its own file systems over may not be there."""
    start = subject.start
    fix = "put it elsewhere: the function's own folders are /var/task and /opt"
    for row, what, path in (
        ("C6", "the entrypoint", start.argv[0] if start.argv else ""),
        ("C15", "the working directory", start.workdir),
    ):
        if path.startswith(_COVERED) and subject.files and subject.files.find(path):
            found = f"{what} {path} lies in a folder that Lambda mounts something over"
            yield warning(row, found, fix)


def entrypoint_is_a_symlink(subject: Subject) -> Iterator[Finding]:
    """C13: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html."""
    if not subject.files or not subject.chain or subject.chain.cause:
        return
    node = subject.files.find_link(subject.start.argv[0])
    if node and node.kind is Kind.SYMLINK:
        yield warning(
            "C13",
            f"{subject.start.argv[0]} is a symlink to {node.entry.target}; the kernel follows it,"
            " but AWS's documentation says that the entrypoint must not be one",
            "let ENTRYPOINT name the file itself",
        )


def entrypoint_is_not_absolute(subject: Subject) -> Iterator[Finding]:
    """C14."""
    argv = subject.start.argv
    if not argv or argv[0].startswith("/") or not subject.chain or subject.chain.cause:
        return
    fix = f'write the whole path: ENTRYPOINT ["/…/{posixpath.basename(argv[0])}"]'
    declared = subject.function.declared
    if declared and declared.is_on_managed_instances:
        yield warning(
            "C14",
            f"{argv[0]!r} is no absolute path, and {declared.logical_id} runs on Lambda Managed"
            " Instances, which demand one",
            fix,
        )
    elif "/" in argv[0]:
        yield warning(
            "C14",
            f"ENTRYPOINT {argv[0]!r} counts from the working directory; AWS documents absolute"
            " paths only",
            fix,
        )
    elif not subject.start.environment.get("PATH"):
        yield warning(
            "C14",
            f"{argv[0]!r} has no path and the image sets no PATH to look for it on; whether Lambda"
            " has one then is not documented",
            f"{fix}, or set PATH",
        )


def working_directory(subject: Subject) -> Iterator[Finding]:
    """C15."""
    workdir = subject.start.workdir
    if not subject.files:
        return
    fix = "WORKDIR /var/task in the Dockerfile, and no other in ImageConfig"
    if not workdir:
        yield warning("C15", "there is no working directory", fix)
        return
    if not workdir.startswith("/"):
        yield error("C15", f"the working directory {workdir!r} is not an absolute path", fix)
        return
    try:
        node = subject.files.resolve(workdir).node
    except PathError as wrong:
        name = errno.errorcode[wrong.errno]
        hidden = wrong.errno == errno.EACCES
        yield error(
            "C15",
            f"the working directory {workdir} cannot be entered: {name} at {wrong.at}",
            fix,
            error_type="Runtime.InvalidEntrypoint" if hidden else None,
        )
        return
    # Lambda looks whether it is there; that it cannot be entered shows when the start fails.
    if node.kind is not Kind.DIRECTORY:
        found = f"the working directory {workdir} is a {node.kind} (ENOTDIR)"
        yield error("C15", found, fix, error_type="Runtime.InvalidEntrypoint")
    elif not node.is_executable():
        found = f"the working directory {workdir} has mode {node.entry.mode:04o} (EACCES)"
        fix = f"RUN chmod a+rx {workdir}"
        yield error("C15", found, fix, error_type="Runtime.InvalidEntrypoint")


def too_large_to_start(subject: Subject) -> Iterator[Finding]:
    """C16."""
    start = subject.start
    variables = [f"{name}={value}" for name, value in start.environment.items()]
    sizes = [len(text.encode()) + 1 for text in (*start.argv, *variables)]
    if sizes and (max(sizes) > _MAX_STRING_BYTES or sum(sizes) > _MAX_STRINGS_BYTES):
        yield error(
            "C16",
            f"arguments and environment have {sum(sizes):,} bytes, the longest {max(sizes):,};"
            f" the kernel takes {_MAX_STRING_BYTES:,} in one and {_MAX_STRINGS_BYTES:,} in all"
            " (E2BIG)",
            "put large values into a file or a parameter store",
        )
    own = sum(len(f"{k}{v}".encode()) for k, v in subject.function.environment.items())
    if own > _MAX_ENVIRONMENT_BYTES:
        yield error(
            "C16",
            f"the function's environment has {own:,} bytes; Lambda takes"
            f" {_MAX_ENVIRONMENT_BYTES:,}",
            "put large values into a file or a parameter store",
            error_type="InvalidParameterValueException",
        )


def _is_handler(subject: Subject) -> bool:
    """Whether no program is named, and something that looks like a handler is."""
    argv, chain = subject.start.argv, subject.chain
    if not argv or not chain or chain.cause not in (Cause.NOT_ON_PATH, Cause.MISSING):
        return False
    program = argv[0]
    is_script = program.endswith(_SCRIPTS)
    return not program.startswith("/") and not is_script and bool(_HANDLER.fullmatch(program))


def _searched(environment: Mapping[str, str], subject: Subject, name: str) -> str:
    """Say where a program was looked for, and what is there that cannot be run."""
    folders = search_folders(environment)
    text = f"{name!r} is in none of the folders of PATH: {', '.join(folders)}"
    for folder in folders:
        node = subject.files.find(posixpath.join(folder, name)) if subject.files else None
        if node and node.kind is Kind.FILE:
            return f"{text} ({node.path} has mode {node.entry.mode:04o}, so it is none)"
    return text


def _cannot(subject: Subject, chain: Chain) -> str:
    """Say what is on the way, and how the start ends."""
    if chain.cause is Cause.NOT_ON_PATH:
        return f"{_searched(subject.start.environment, subject, chain.at)} (ENOENT)"
    if chain.cause is Cause.WRONG_MACHINE and chain.machine is not None:
        name = machine_name(chain.machine)
        architecture = subject.function.architecture
        number = f" ({errno_name(chain.errno)})" if chain.errno else ""
        return f"{chain} is {name} and cannot be executed on an {architecture} function{number}"
    return f"{chain}: {chain.end}"


RULES = (
    # Lambda looks for the working directory before it starts anything.
    working_directory,
    image_of_another_cpu,
    programs_of_another_cpu,
    nothing_or_the_handler_is_started,
    too_large_to_start,
    entrypoint_cannot_be_started,
    program_behind_cannot_be_started,
    script_may_not_be_read,
    script_of_an_interpreter,
    hidden_at_run_time,
    entrypoint_is_not_absolute,
    entrypoint_is_a_symlink,
)
