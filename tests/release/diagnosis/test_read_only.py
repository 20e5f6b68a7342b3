"""Writes outside of /tmp, as each language and library says it: rule D6, and nothing else."""

import pwd
from dataclasses import replace

import pytest

from release.diagnosis.diagnose import diagnose
from release.diagnosis.outcome import Failed
from release.diagnosis.report import as_text
from tests.support.imagecheck.findings import warning
from tests.support.release.diagnosis_situations import (
    FUNCTION,
    IMAGE,
    WORKS,
    logs,
    refused,
    server_error,
)

HOME = "/home/sbx_user1051"
# The home of root, as in images.
ROOTS = pwd.getpwuid(0).pw_dir
CASES = [
    ("OSError", f"[Errno 30] Read-only file system: '{HOME}'", HOME),
    ("OSError", "[Errno 30] Read-only file system: '/var/task/cache/a.bin'", "/var/task/cache"),
    ("OSError", "[Errno 30] Read-only file system: '/tmp/a' -> '/opt/a'", "/opt/a"),
    ("FileNotFoundError", f"[Errno 2] No such file or directory: '{HOME}/.cache/x'", HOME),
    ("PermissionError", f"[Errno 13] Permission denied: '{ROOTS}/.cache'", f"{ROOTS}/.cache"),
    ("PermissionError", "[Errno 13] Permission denied: '/home/app/.config'", "/home/app/.config"),
    ("OperationalError", "attempt to write a readonly database", ""),
    (
        "Runtime.ImportModuleError",
        f"Unable to import module 'rooms.main': [Errno 30] Read-only file system: '{HOME}'",
        HOME,
    ),
    ("Error", f"EROFS: read-only file system, mkdir '{HOME}/.npm'", HOME),
    ("Error", "EROFS: read-only file system, open '/var/task/tmp/log.txt'", "/var/task/tmp"),
    ("Error", f"ENOENT: no such file or directory, mkdir '{HOME}/.cache'", HOME),
    ("Error", f"EACCES: permission denied, mkdir '{ROOTS}/.npm'", f"{ROOTS}/.npm"),
    ("java.nio.file.FileSystemException", f"{HOME}: Read-only file system", HOME),
    ("java.io.FileNotFoundException", "/var/task/a.log (Read-only file system)", "/var/task/a.log"),
    ("*fs.PathError", f"mkdir {HOME}: read-only file system", HOME),
    ("errorString", "open /var/task/state.db: read-only file system", "/var/task/state.db"),
    ("&str", 'Os { code: 30, kind: ReadOnlyFilesystem, message: "Read-only file system" }', ""),
    ("Errno::EROFS", f"Read-only file system @ dir_s_mkdir - {HOME}", HOME),
    ("IOException", "Read-only file system : '/var/task/x.json'", "/var/task/x.json"),
]


@pytest.mark.parametrize(("type_", "message", "path"), CASES)
def test_a_write_outside_of_tmp_is_d6(type_: str, message: str, path: str) -> None:
    diagnosis = diagnose(replace(WORKS, invocation=Failed(type_, message)))
    [cause] = diagnosis.causes

    assert (cause.name, cause.rule, cause.likelihood) == ("image-d6", "D6", "certain")
    assert path in cause.title
    assert cause.fix[0].command == "python -m release rollback dev"
    wants_home = path.startswith(("/home/", "/root/")) or not path
    assert ("HOME=/tmp" in cause.fix[1].text) is wants_home
    assert wants_home or path in cause.fix[1].text


@pytest.mark.parametrize(
    ("type_", "message", "first"),
    [
        ("PermissionError", "[Errno 13] Permission denied: '/var/task/rooms/main.py'", "image-e6"),
        ("Error", "EACCES: permission denied, open '/var/task/app.js'", "image-e6"),
        ("OSError", "[Errno 28] No space left on device: '/tmp/a'", "exception"),
        ("OSError", "[Errno 30] Read-only file system: '/mnt/shared/a'", "exception"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: '/var/task/x'", "exception"),
    ],
)
def test_what_only_resembles_it_is_not(type_: str, message: str, first: str) -> None:
    causes = diagnose(replace(WORKS, invocation=Failed(type_, message))).causes

    assert [cause.name for cause in causes] == [first]


@pytest.mark.parametrize(
    "printed",
    [
        f"panic: mkdir {HOME}: read-only file system",
        f"mkdir: cannot create directory '{HOME}': Read-only file system",
        "/entrypoint.sh: line 3: /var/task/pid: Read-only file system",
        f"npm ERR! code EROFS: mkdir '{HOME}/.npm'",
    ],
)
def test_a_program_that_says_so_and_exits_is_explained(printed: str) -> None:
    failed = Failed("Runtime.ExitError", "RequestId: 1 Error: Runtime exited: exit status 2")
    facts = replace(WORKS, invocation=failed, logs=logs(printed))
    names = [cause.name for cause in diagnose(facts).causes]

    assert names == ["image-d6"]
    assert diagnose(replace(WORKS, logs=logs(printed))).verdict == "works"


def test_the_warnings_of_check_are_evidence() -> None:
    found = warning("D6", "HF_HOME=/models: writing there fails", "ENV HF_HOME=/tmp")
    facts = replace(
        WORKS,
        live_image=replace(IMAGE, findings=(found,)),
        invocation=Failed("OSError", "[Errno 30] Read-only file system: '/models'"),
    )
    [cause] = diagnose(facts).causes

    assert any("HF_HOME=/models" in evidence.text for evidence in cause.evidence)


def test_a_new_version_that_was_refused_for_it_and_an_answer_with_500_are_explained() -> None:
    said = f"OSError: [Errno 30] Read-only file system: '{HOME}'"

    assert diagnose(refused(said, IMAGE)(WORKS)).causes[0].name == "refused-image-d6"
    answered = server_error(500, "INTERNAL_ERROR", said)(WORKS)
    assert [cause.name for cause in diagnose(answered).causes] == ["image-d6"]


def test_of_a_zip_no_dockerfile_is_named() -> None:
    live = replace(FUNCTION, package="Zip", image="", handler="rooms.main.handler")
    for path in (HOME, "/var/task/x"):
        failed = Failed("OSError", f"[Errno 30] Read-only file system: '{path}'")
        facts = replace(WORKS, live=live, live_image=None, invocation=failed)
        text = " ".join(as_text(diagnose(facts)).split())
        assert "Dockerfile" not in text
        assert "image is built" not in text
