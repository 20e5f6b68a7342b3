"""Launch: what is taken to run in the end is what really runs.

Real shells and wrappers start each image in the sandbox; the program that they come to says what it
was given.
"""

import re
import shutil
from pathlib import Path

import pytest

from imagecheck.check import check_image
from imagecheck.function import Function
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from imagecheck.start.launch import Launch
from tests.support.imagecheck.cases import HOST_CPU, Silent
from tests.support.imagecheck.images import (
    Directory,
    File,
    Image,
    Member,
    Symlink,
    layer_of,
    write_image,
)
from tests.support.imagecheck.programs import HOST, busybox
from tests.support.imagecheck.starting import Started, start
from tests.support.imagecheck.tools import run
from tests.support.sampling import mostly_proofs

SHOW = """#!/bin/awk -f
BEGIN {
  "pwd" | getline folder
  printf "%s:%s", folder, ENVIRON["COLOR"]
  for (i = 1; i < ARGC; i++) printf " <%s>", ARGV[i]
  printf "\\n"
}
"""
"""Prints folder, a variable and arguments."""
PATH = "/usr/local/bin:/bin"
ENV = {"PATH": PATH, "WHO": "world", "EMPTY": "", "TWO": "a b"}


def launched(folder: Path, command: list[str], *members: Member) -> tuple[Launch, Started]:
    """Follow a command in an image with shells, and really start it."""
    launch, image = followed(folder, command, *members)
    return launch, start(image, command, workdir="/app", env=ENV)


def followed(folder: Path, command: list[str], *members: Member) -> tuple[Launch, Image]:
    """Follow a command in an image with shells."""
    files = (
        File("bin/busybox", busybox(), 0o755),
        *(Symlink(f"bin/{name}", "busybox") for name in ("awk", "sh", "env")),
        File("usr/local/bin/show", SHOW, 0o755),
        File("app/data", "x"),
        Directory("tmp", 0o1777),
        *members,
    )
    image = write_image(
        folder, [layer_of(*files)], entrypoint=command, workdir="/app", env=ENV, architecture=HOST
    )
    report = check_image(
        parse_reference(image.reference),
        Function(HOST_CPU),
        cache=LayerCache(folder / "cache"),
        progress=Silent(),
    )
    assert report.subject.launch
    return report.subject.launch, image


def shown(launch: Launch) -> str:
    last = launch.last
    words = " ".join(f"<{word}>" for word in last.argv[1:])
    return f"{last.workdir}:{last.environment.get('COLOR', '')} {words}".rstrip()


SCRIPTS = [
    "show one two",
    "exec show 'one two' \"three $WHO\" four\\ five",
    'exec show "$WHO" $TWO "$TWO" $EMPTY "$EMPTY"',
    "exec show ${WHO} ${NOBODY:-default} ${WHO:+yes} ${NOBODY:+no} ${EMPTY:-empty} ${EMPTY-unset}",
    "exec show ${WHO%ld} ${WHO#w} ${#WHO} ${TWO#* } ${WHO%%o*} ${WHO##*o}",
    "cd / && show here",
    "cd /nowhere && show here || show there",
    "COLOR=red exec show it",
    "export COLOR=blue; show it",
    "COLOR=green; show it",
    "set -e; COLOR=x; export COLOR; cd /app; exec show",
    'if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then exec show rie; else exec show client; fi',
    "if test -f /app/data && [ -x /bin/sh ]; then show both; fi",
    "[ -d /nowhere ] || exec show no",
    'if ! [ -e /app/data ]; then exec show no\nelif [ "$WHO" = world ]; then exec show yes\nfi',
    'case "$WHO" in w*|x) exec show w;; *) exec show other;; esac',
    "case no in yes) show 1 ;; esac; show 2 # a comment",
    'set -- show "$WHO" more; exec "$@"',
    'set -- way; if [ "${1#w}" != "$1" ]; then set -- show "$@"; fi; exec "$@"',
    "x=$(command -v show); exec $x found",
    '[ -n "$(command -v nothing)" ] || exec show nothing',
    "{ [ -f /app/data ] && ! [ -x /app/data ]; } && exec show data",
    "echo hello >/dev/null 2>&1; exec show after",
    "nothing || exec show fallback",
    "true && false || show third; ",
    "exec show `dirname /a/b` $(basename /a/b) $(pwd) $(id -u)",
    "umask 022\n\nexec \\\n  show joined",
    "exec env -u WHO COLOR=pink show in env",
    "sh -ec 'cd / && exec show \"$0\" \"$@\"' zero 'o n e' two",
    'exec show "a$@b" "$*" end',
    'set -- "" "o n e" ""; exec show "$@"',
    "if [ -f /tmp/x ]; then echo there; else echo not there; fi; exec show both",
    '[ -n "$SETTING" ] && echo set; [ -f /tmp/x ] || true; exec show joined',
    'if [ -n "$WHO" ] && [ -e /tmp/x ]; then echo a; elif [ -z "$WHO" ]; then exit 2; fi; show b',
    'set -e; [ -e /tmp ] || exit 3; if [ -f /tmp/x ]; then X=1; fi; exec show "$WHO"',
]


@pytest.mark.parametrize("script", mostly_proofs(SCRIPTS))
def test_what_a_script_comes_to_is_what_really_runs(tmp_path: Path, script: str) -> None:
    launch, started = launched(tmp_path, ["/bin/sh", "-c", script])

    assert not launch.stopped
    assert started.output.splitlines()[-1] == shown(launch)


FILES = {
    "a switch between emulator and client": (
        '#!/bin/sh\nif [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then\n'
        "    exec /usr/local/bin/aws-lambda-rie /usr/local/bin/show $@\nelse\n"
        "    exec /usr/local/bin/show $@\nfi\n"
    ),
    "one that adds an interpreter to what is not a program": (
        '#!/bin/sh\nset -e\nif [ "${1#-}" != "${1}" ] || [ -z "$(command -v "${1}")" ]'
        ' || { [ -f "${1}" ] && ! [ -x "${1}" ]; }; then\n  set -- show "$@"\nfi\nexec "$@"\n'
    ),
    "one that runs the rest": '#!/bin/sh\necho starting 1>&2\nexec show "$@"\n',
    "one of env": '#!/usr/local/bin/env sh\nexec show "$@"\n',
    "one with a shell's options": '#!/bin/sh -e\nexec show "$@"\n',
    "one that reads another": '#!/bin/sh\n. /app/settings\nexec show "$@"\n',
}


@pytest.mark.parametrize("script", mostly_proofs(FILES.values(), FILES))
def test_a_script_as_the_entrypoint(tmp_path: Path, script: str) -> None:
    settings = File("app/settings", "export COLOR=grey\n")
    link = Symlink("usr/local/bin/env", "/bin/busybox")

    launch, started = launched(
        tmp_path, ["entry.sh", "app.handler", "x y"],
        File("usr/local/bin/entry.sh", script, 0o755), settings, link,
    )  # fmt: skip

    assert not launch.stopped
    assert started.output.splitlines()[-1] == shown(launch)


WRAPPERS = {
    "tini": ["-g", "--"],
    "dumb-init": ["--single-child", "--"],
    "nice": ["-n", "5"],
    "nohup": [],
    "setsid": ["-w"],
    "taskset": ["1"],
    "timeout": ["-k", "1", "900"],
}


@pytest.mark.proof
@pytest.mark.parametrize("name", WRAPPERS)
def test_an_init_runs_its_child(tmp_path: Path, name: str) -> None:
    launch, started = launched(
        tmp_path, [f"/usr/bin/{name}", *WRAPPERS[name], "show", "a b"], *program(name)
    )

    assert started.output.splitlines()[-1] == shown(launch)


@pytest.mark.proof
@pytest.mark.parametrize("name", WRAPPERS)
def test_an_init_without_its_child(tmp_path: Path, name: str) -> None:
    launch, started = launched(
        tmp_path, [f"/usr/bin/{name}", *WRAPPERS[name], "nothing"], *program(name)
    )

    assert launch.failed
    assert launch.failed.exit_status == started.exit_status


@pytest.mark.proof
@pytest.mark.parametrize("name", WRAPPERS)
def test_an_init_has_a_shell_run_what_has_no_shebang(tmp_path: Path, name: str) -> None:
    """execvp of glibc does it, with which each of them starts its child."""
    text = File("usr/local/bin/text", "exec show text\n", 0o755)

    launch, started = launched(
        tmp_path, [f"/usr/bin/{name}", *WRAPPERS[name], "text"], text, *program(name)
    )

    assert not launch.failed
    assert started.output.splitlines()[-1] == shown(launch)


@pytest.mark.proof
def test_gosu_may_not_become_another_user(tmp_path: Path) -> None:
    users = File("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/app:/bin/sh\n")

    launch, started = launched(
        tmp_path, ["/usr/sbin/gosu", "app", "show"], users, *program("gosu", "usr/sbin")
    )

    assert launch.ended
    assert launch.ended.status == started.exit_status


STATUSES = {
    "nothing": 127,
    "exec nothing": 127,
    "/app/data": 126,
    "exec /app/data": 126,
    "cd /nowhere && true; exec nothing": 127,
    "env nothing": 127,
    "datadog_lambda.handler.handler": 127,
}


# Each is a shell of its own mind. The last of them is what becomes of a CMD that is not JSON.
ENDS_OF_SHELLS = (
    "set -euo pipefail; exec show",
    "set -o pipefail || true; exec show",
    "source /app/settings && exec show",
    "source ./settings; exec show",
    ". /nowhere || true; exec show",
    ". /nowhere; exec show",
    "set -e; . ./nowhere; exec show",
    "set -e; mkdir -p /app; mkdir -p /tmp/x; exec show",
    "set -e; mkdir -p /var/cache/app; exec show",
    "set -e; mkdir -m 755 -p /app /tmp/x; exec show",
    "set -e; mkdir /app; exec show",
    "mkdir /app; exec show",
    "mkdir -p /var/cache/app && exec show",
    "['show', 'one']",
    '["show"]',
)


@pytest.mark.parametrize("name", ["dash", "bash", "busybox"])
@pytest.mark.parametrize("script", mostly_proofs(ENDS_OF_SHELLS))
def test_where_shells_differ(tmp_path: Path, script: str, name: str) -> None:
    command = ["/bin/busybox", "sh"] if name == "busybox" else [f"/usr/bin/{name}"]
    others = [] if name == "busybox" else program(name)
    others += [Symlink("bin/mkdir", "busybox"), File("app/settings", "A=1\n")]

    launch, started = launched(tmp_path, [*command, "-c", script], *others)

    assert not launch.stopped
    if launch.ended:
        assert launch.ended.status == started.exit_status
    elif launch.failed:
        assert launch.failed.exit_status == started.exit_status
    else:
        assert started.output.splitlines()[-1] == shown(launch)


@pytest.mark.parametrize("script", mostly_proofs(STATUSES))
def test_a_program_that_is_missing_behind_a_shell(tmp_path: Path, script: str) -> None:
    launch, started = launched(tmp_path, ["/bin/sh", "-c", script])

    assert launch.failed
    assert launch.failed.exit_status == started.exit_status == STATUSES[script]


SCRIPT = "#!/bin/busybox true\n"
TOOLS = (
    *(File(f"usr/local/bin/{name}", SCRIPT, 0o755) for name in ("npm", "npx", "yarn", "node")),
    *(File(f"usr/local/bin/{name}", SCRIPT, 0o755) for name in ("ddtrace-run", "newrelic-admin")),
    *(File(f"usr/local/bin/{name}", SCRIPT, 0o755) for name in ("uv", "opentelemetry-instrument")),
    File("app/package.json", '{"scripts": {"start": "COLOR=red show from", "bad": "nothing"}}'),
    File("app/node_modules/.bin/tool", SCRIPT, 0o755),
    File("app/.venv/bin/serve", SCRIPT, 0o755),
)
FOLLOWED = {
    "npm start": "show from",
    "npm run start -- x": "show from x",
    "npm run-script --silent start": "show from",
    "yarn start": "show from",
    "yarn tool a": "/app/node_modules/.bin/tool a",
    "npx --yes tool a.b": "/app/node_modules/.bin/tool a.b",
    "npm exec -- tool a": "/app/node_modules/.bin/tool a",
    "ddtrace-run show 1": "show 1",
    "newrelic-admin run-program show 1": "show 1",
    "opentelemetry-instrument show 1": "show 1",
    "uv run --no-sync serve 1": "serve 1",
}


@pytest.mark.parametrize("command", FOLLOWED)
def test_launchers_of_languages_are_followed(tmp_path: Path, command: str) -> None:
    launch = followed(tmp_path, command.split(), *TOOLS)[0]

    assert " ".join(launch.last.argv) == FOLLOWED[command]
    assert not launch.last.chain.cause


NOT_FOLLOWED = {
    "npx elsewhere": "",
    "uv run elsewhere": "",
    "opentelemetry-instrument --exporter console show": "",
    "npm run missing": "has no script 'missing'",
    "npx aws-lambda-ric": "finds no aws-lambda-ric",
}


@pytest.mark.parametrize("command", NOT_FOLLOWED)
def test_what_launchers_lack_is_named_where_it_is_certain(tmp_path: Path, command: str) -> None:
    launch = followed(tmp_path, command.split(), *TOOLS)[0]

    assert not launch.failed
    assert bool(launch.stopped) != bool(launch.ended)
    assert NOT_FOLLOWED[command] in (launch.ended.why if launch.ended else "")


def test_a_script_of_package_json_that_runs_what_is_missing(tmp_path: Path) -> None:
    failed = followed(tmp_path, ["npm", "run", "bad"], *TOOLS)[0].failed

    assert failed
    assert (failed.argv, failed.exit_status) == (("nothing",), 127)


UNCLEAR = [
    "for x in 1 2; do show; done",
    'if [ -n "$SETTING" ]; then show 1; else show 2; fi',
    "if busybox wget localhost; then show 1; else show 2; fi",
    "show | cat",
    "show &\nwait",
    "eval show",
    "$UNSET_BY_THE_IMAGE$AWS_SOMETHING x",
    "show() { exec true; }; show",
    "cat <<X\nX\nshow",
    ". /tmp/settings; show",
    "case $AWS_REGION in eu-*) show;; esac",
    'exec "unfinished',
    "[ -f /tmp/x ] && exec show 1; exec show 2",
    "[ -f /tmp/x ] || exec show 1; exec show 2",
    "if [ -f /tmp/x ]; then cd /; fi; exec show",
    'if test -n "$SETTING"; then exit 0; fi; exec show',
]


@pytest.mark.parametrize("script", mostly_proofs(UNCLEAR))
def test_what_is_not_certain_is_not_judged(tmp_path: Path, script: str) -> None:
    launch, _ = launched(tmp_path, ["/bin/sh", "-c", script])

    assert launch.stopped
    assert not launch.failed


def program(name: str, folder: str = "usr/bin") -> list[Member]:
    """Return a program of this machine, and its libraries."""
    path = shutil.which(name)
    assert path, f"{name} is needed: make packages"
    linked = run(["sh", "-c", f"ldd {path} || true"])
    libraries = [Path(library) for library in re.findall(r"(/\S+) \(0x", linked)]
    copies = [File(f"{folder}/{name}", Path(path).read_bytes(), 0o755)]
    return [*copies, *(File(str(one).lstrip("/"), one.read_bytes(), 0o755) for one in libraries)]
