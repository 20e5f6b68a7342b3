"""The command as people and pipelines run it: what it prints, where, and with which status."""

import gzip
import hashlib
import json
import os
import pty
import re
import resource
import shlex
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import imagecheck.run
from imagecheck import __version__
from imagecheck.cli import main
from imagecheck.function import Architecture
from imagecheck.image.manifest import OCI_MANIFEST, digest_of
from imagecheck.rules import BY_ID
from tests.support.imagecheck.http_server import Answer, Request, serving
from tests.support.imagecheck.images import (
    File,
    Image,
    Layer,
    Symlink,
    layer_of,
    write_image,
    write_index,
)
from tests.support.imagecheck.programs import aws_like_base, busybox, of_other_cpu
from tests.support.imagecheck.tools import skopeo_copy

COMMAND = [sys.executable, "-m", "imagecheck"]
MIB = 1024**2
SNAPSHOTS = Path(__file__).parents[1] / "stacks/__snapshots__/test_snapshots"
BASE = layer_of(*aws_like_base())
OTHER_SHELL = layer_of(File("bin/busybox", of_other_cpu(busybox()), 0o755))
HANDLER = layer_of(File("var/task/app.py", "def handler(event, context): return event\n"))
MACHINE = os.uname().machine
_CPUS: dict[str, Architecture] = {"x86_64": "x86_64", "aarch64": "arm64"}
CPU = _CPUS[MACHINE]
OTHER_CPU = {"x86_64": "arm64", "arm64": "x86_64"}[CPU]
GO = {"x86_64": "amd64", "arm64": "arm64"}[CPU]
"""What Docker and Go call this machine's CPU."""


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")


def image_in(folder: Path, *layers: Layer, **options: Any) -> Image:
    options = {"entrypoint": ["/lambda-entrypoint.sh"], "cmd": ["app.handler"], **options}
    return write_image(folder, layers or [BASE, HANDLER], **options)


def check(
    *arguments: str | Path, env: Mapping[str, str] | None = None, memory: int | None = None
) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
        preexec_fn=limit,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def run_main(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str | Path
) -> tuple[int, str, str]:
    """Run it in this process, which is faster."""
    monkeypatch.setattr(sys, "argv", ["imagecheck", *map(str, arguments)])
    status = main()
    printed = capsys.readouterr()
    return status, printed.out, printed.err


# --- answers ------------------------------------------------------------------------------------


def test_an_image_that_can_start(tmp_path: Path) -> None:
    image = image_in(tmp_path)

    done = check(image.reference, "--architecture", CPU)

    assert (done.returncode, done.stderr) == (0, "")
    head, _, said = done.stdout.partition("\n\n")
    assert head.splitlines() == [
        image.reference,
        f"  digest   {image.digest}",
        f"  image    {CPU}",
        f"  function {CPU}",
        "  starts   /lambda-entrypoint.sh app.handler",
    ]
    # Its bootstrap is a script, so nothing says which language the handler is of.
    assert said.startswith("Not checked:\n    the handler: ")
    assert said.endswith("\n\nno problems found; 1 thing not checked\n")


def test_an_image_that_cannot(tmp_path: Path) -> None:
    image = image_in(tmp_path, BASE, OTHER_SHELL, HANDLER)

    done = check(image.reference, "--architecture", CPU)

    assert (done.returncode, done.stderr) == (1, "")
    assert "✗ C2  Files of another CPU than the image says" in done.stdout
    assert "on Lambda: Runtime.InvalidEntrypoint" in done.stdout
    assert "    fix: " in done.stdout
    assert done.stdout.splitlines()[-1].endswith("do not deploy this image")


@pytest.mark.proof
def test_an_image_that_cannot_be_read(tmp_path: Path) -> None:
    done = check(f"oci:{tmp_path}/nowhere", "--architecture", CPU)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {tmp_path}/nowhere: No such file or directory\n"


def test_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = image_in(tmp_path / "good")
    bad = image_in(tmp_path / "bad", BASE, OTHER_SHELL, HANDLER)

    for image, status in ((good, 0), (bad, 1)):
        name = f"{image.reference}@{image.digest}"
        returned, out, err = run_main(monkeypatch, capsys, name, "--architecture", CPU, "--json")
        found = json.loads(out)

        assert (returned, err) == (status, "")
        assert list(found) == [
            "version", "command", "ok", "image", "digest", "architecture", "function", "starts",
            "handler", "findings", "ignored", "notChecked",
        ]  # fmt: skip
        assert (found["version"], found["command"]) == (1, "lambda-image-check")
        assert found["ok"] is (status == 0)
        assert found["image"] == f"{image.reference}@{image.digest}"
        assert found["digest"] == image.digest
        assert found["architecture"] == CPU
        assert bool(found["findings"]) == bool(status)
    for finding in found["findings"]:
        assert list(finding) == [
            "rule", "title", "severity", "errorType", "when", "found", "fix", "line", "url",
        ]  # fmt: skip
        assert all(type(value) is str for name, value in finding.items() if name != "line")
    assert (found["findings"][0]["rule"], found["findings"][0]["severity"]) == ("C2", "error")


def test_json_where_only_a_push_makes_a_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    skopeo_copy(image_in(tmp_path / "image").reference, f"docker-archive:{tmp_path}/i.tar:rooms:v1")

    status, out, _ = run_main(
        monkeypatch, capsys, f"docker-archive:{tmp_path}/i.tar", "--architecture", CPU, "--json"
    )

    assert (status, json.loads(out)["digest"], json.loads(out)["findings"]) == (0, None, [])


def test_the_incident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Yesterday's image works; today's, built on another machine, does not."""
    shell = {"x86_64": busybox(), "arm64": of_other_cpu(busybox())}
    if CPU == "arm64":
        shell = {"arm64": busybox(), "x86_64": of_other_cpu(busybox())}
    images = {
        cpu: image_in(
            tmp_path / name,
            BASE,
            layer_of(File("bin/busybox", shell[cpu], 0o755)),
            HANDLER,
            architecture=name,
        )
        for cpu, name in (("x86_64", "amd64"), ("arm64", "arm64"))
    }
    new, old = images["arm64"].reference, images["x86_64"].reference
    explained = (
        "architecture amd64 → arm64: `/lambda-entrypoint.sh` → `/bin/sh` is aarch64 and cannot be"
        " executed on an x86_64 function"
    )

    for one, two, status in ((new, old, 1), (old, new, 0)):
        arguments = [one, "--against", two, "--architecture", "x86_64"]
        returned, out, err = run_main(monkeypatch, capsys, *arguments, "--json")

        assert (returned, err) == (status, "")
        assert json.loads(out)["differences"][0] == explained
    text = check(new, "--against", old, "--architecture", "x86_64").stdout
    assert f"1. {explained}" in " ".join(text.split())
    assert "✗ C1" in text


def test_two_images_that_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = image_in(tmp_path).reference
    arguments = [name, "--against", name, "--architecture", CPU]

    assert json.loads(run_main(monkeypatch, capsys, *arguments, "--json")[1])["differences"] == []
    assert "the images are the same" in run_main(monkeypatch, capsys, *arguments)[1]


# --- the function -------------------------------------------------------------------------------


@pytest.mark.proof
def test_a_function_of_our_own_template(tmp_path: Path) -> None:
    template = SNAPSHOTS / "test_template[rooms-prd].json"
    arm = {"x86_64": of_other_cpu(busybox()), "aarch64": busybox()}[MACHINE]
    shell = layer_of(File("bin/busybox", arm, 0o755))
    image = image_in(tmp_path, BASE, shell, HANDLER, architecture="arm64")

    done = check(image.reference, "--template", template, "--json")

    rules = [finding["rule"] for finding in json.loads(done.stdout)["findings"]]
    assert (done.returncode, rules) == (0, ["H4"])  # a warning: the template names another digest


def test_one_of_several_functions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image = image_in(tmp_path / "image")
    template = write_template(
        tmp_path,
        One=function(image, Architectures=[CPU]),
        Two=function(image, Architectures=[OTHER_CPU]),
    )

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        return run_main(monkeypatch, capsys, image.reference, "--template", template, *arguments)

    assert [run("--function", name)[0] for name in ("One", "Two")] == [0, 1]
    status, out, err = run()
    assert (status, out) == (2, "")
    assert "2 functions that run an image\nhint: choose one with --function: One, Two" in err
    status, _, err = run("--function", "Three")
    assert (status, "has no function 'Three'\nhint: its functions are One, Two" in err) == (2, True)
    status, _, err = run("--function", "One", "--architecture", OTHER_CPU)
    assert (status, f"is for {CPU}, not {OTHER_CPU}\nhint: leave --architecture out" in err) == (
        2,
        True,
    )
    assert run("--function", "One", "--architecture", CPU)[0] == 0


def function(image: Image, **properties: Any) -> dict[str, Any]:
    uri = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/rooms@{image.digest}"
    code = {"PackageType": "Image", "Code": {"ImageUri": uri}}
    return {"Type": "AWS::Lambda::Function", "Properties": {**code, **properties}}


def write_template(folder: Path, **resources: Any) -> Path:
    path = folder / "template.json"
    path.write_text(json.dumps({"Resources": resources}))
    return path


@pytest.mark.parametrize(
    ("flags", "starts"),
    [
        ([], "/lambda-entrypoint.sh app.handler"),
        (["--command", "app.other"], "/lambda-entrypoint.sh app.other"),
        (["--entrypoint", "/bin/sh -c"], "/bin/sh -c app.handler"),
        (["--entrypoint", '["/bin/sh", "-c"]'], "/bin/sh -c app.handler"),
        (["--entrypoint", "/bin/sh", "--command", "-c 'exit 0'"], "/bin/sh -c exit 0"),
    ],
)
def test_flags_stand_in_for_what_the_image_says(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    starts: str,
) -> None:
    image = image_in(tmp_path)

    _, out, err = run_main(monkeypatch, capsys, image.reference, "--architecture", CPU, *flags)

    assert f"  starts   {starts}" in out.splitlines()
    assert err == ""


@pytest.mark.parametrize("flag", ["--entrypoint=", "--entrypoint=[]", "--command=", "--workdir="])
def test_an_empty_override_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    image = image_in(tmp_path)

    status, _, err = run_main(monkeypatch, capsys, image.reference, "--architecture", CPU, flag)

    assert (status, "is empty\nhint: leave it out" in err) == (2, True)


def test_the_working_directory_can_be_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = image_in(tmp_path).reference
    flags = ["--architecture", CPU, "--workdir", "/nowhere"]

    status, out, _ = run_main(monkeypatch, capsys, name, *flags)

    assert (status, "✗ C15" in out) == (1, True)


def test_variables_can_be_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image = image_in(tmp_path)
    wrapper = ["--env", "AWS_LAMBDA_EXEC_WRAPPER=/nowhere", "--env", "EMPTY="]

    status, out, _ = run_main(monkeypatch, capsys, image.reference, "--architecture", CPU, *wrapper)

    assert (status, "D5" in out) == (1, True)


@pytest.mark.parametrize(
    "name", [MACHINE, MACHINE.upper(), f"linux/{MACHINE}", GO, f"linux/{GO}", f" {GO} "]
)
def test_a_cpu_has_many_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    image = image_in(tmp_path)

    status, out, _ = run_main(monkeypatch, capsys, image.reference, "--architecture", name)

    assert (status, f"  function {CPU}" in out.splitlines()) == (0, True)


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_without_a_function_the_cpu_is_the_image_s_and_that_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    architecture: str,
) -> None:
    programs = {"amd64": "x86_64", "arm64": "arm64"}
    shell = busybox() if programs[architecture] == CPU else of_other_cpu(busybox())
    layers = [BASE, layer_of(File("bin/busybox", shell, 0o755)), HANDLER]
    image = image_in(tmp_path, *layers, architecture=architecture)

    status, out, err = run_main(monkeypatch, capsys, image.reference)

    assert (status, err) == (0, "")
    assert f"  function {programs[architecture]} (assumed)" in out.splitlines()
    assert "whether the image is for the function's CPU: " in out
    assert "no problems found; 2 things not checked" in out


def test_a_registry_is_asked_for_the_manifest_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image = image_in(tmp_path)
    manifest = image.blob(image.digest).read_bytes()

    def answer(request: Request) -> Answer:
        if request.path == "/v2/rooms/manifests/latest":
            return Answer(headers={"Content-Type": OCI_MANIFEST}, body=manifest)
        return Answer(body=image.blob(request.path.rpartition("/")[2]).read_bytes())

    with serving(answer) as server:
        status, out, _ = run_main(monkeypatch, capsys, f"docker://{server.host}/rooms:latest")
    assert (status, "(assumed)" in out) == (0, True)
    asked = [request.path for request in server.requests if "/manifests/" in request.path]
    assert asked == ["/v2/rooms/manifests/latest"]


def test_an_image_of_no_cpu_of_lambda_s_is_held_against_its_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image = image_in(tmp_path, architecture="s390x")

    status, out, _ = run_main(monkeypatch, capsys, image.reference, "--json")

    assert status in (0, 1)
    assert json.loads(out)["function"] == {
        "architecture": "x86_64", "isAssumed": True, "logicalId": None,
    }  # fmt: skip


# --- what is asked wrongly ----------------------------------------------------------------------

WRONG = {
    "no image": (["--no-cache"], "Missing argument 'IMAGE'"),
    "no transport": (["rooms", "--architecture", "arm64"], "reference 'rooms'\nhint: "),
    "another CPU": (["oci:x", "--architecture", "s390x"], "Lambda has x86_64 (Docker's linux/"),
    "another of Docker's": (["oci:x", "--architecture", "linux/arm/v7"], "Lambda has x86_64"),
    "another system": (["oci:x", "--architecture", "windows/amd64"], "Lambda runs Linux images"),
    "a function of no template": (
        ["oci:x", "--architecture", "arm64", "--function", "F"],
        "--function needs a template\nhint: add --template FILE",
    ),
    "no template": (["oci:x", "--template", "/nowhere.json"], "/nowhere.json: No such file"),
    "a quote": (["oci:x", "--architecture", "arm64", "--command", "'"], "--command: No closing"),
    "a list of numbers": (
        ["oci:x", "--architecture", "arm64", "--entrypoint", "[1]"],
        "--entrypoint: Expected `str`",
    ),
    "half a list": (
        ["oci:x", "--architecture", "arm64", "--entrypoint", '["/run'],
        "--entrypoint: ",
    ),
    "an option": (
        ["oci:x", "--arch", "arm64"],
        "no such option: --arch\nhint: did you mean --architecture?",
    ),
    "two images": (["oci:x", "oci:y", "--architecture", "arm64"], "unexpected extra argument"),
    "a base": (["oci:x", "--architecture", "arm64", "--base", "y"], "invalid image reference 'y'"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_is_asked_wrongly_is_said_in_one_message(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: Sequence[str],
    message: str,
) -> None:
    status, out, err = run_main(monkeypatch, capsys, *arguments)

    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err


@pytest.mark.parametrize("form", [["--json"], ["--format", "json"], ["--format=json"]])
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ("INVALID_USAGE", "Missing argument 'IMAGE'.")),
        (["oci:/nowhere"], ("IMAGE_UNREADABLE", "/nowhere: No such file or directory")),
    ],
)
def test_an_error_is_json_too(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    expected: tuple[str, str],
    form: list[str],
) -> None:
    status, out, err = run_main(monkeypatch, capsys, *arguments, *form)

    found = json.loads(out)
    assert (status, err.splitlines()[0]) == (2, f"error: {expected[1]}")
    assert [found[key] for key in ("version", "command", "ok")] == [1, "lambda-image-check", False]
    assert list(found["error"]) == ["code", "message", "hint", "details"]
    assert (found["error"]["code"], found["error"]["message"]) == expected


def test_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for arguments in ([], ["--help"], ["-h"]):
        status, out, err = run_main(monkeypatch, capsys, *arguments)

        assert (status, err) == (0, "")
        assert "Usage: lambda-image-check" in out
    for name in (
        "--template",
        "--architecture",
        "--against",
        "--format",
        "Exit status 0",
        "oci:DIR",
    ):
        assert name in out


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    said = (0, f"lambda-image-check {__version__}\n", "")

    assert run_main(monkeypatch, capsys, "--version") == said


def test_the_rules_are_listed_and_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, listed, _ = run_main(monkeypatch, capsys, "--list-rules")
    assert status == 0
    for rule in BY_ID.values():
        assert f"{rule.id:<4} {rule.severity:<8} {rule.title}" in listed

    status, told, _ = run_main(monkeypatch, capsys, "--explain", "e2")
    rule = BY_ID["E2"]
    assert (status, told.splitlines()[0]) == (0, f"E2  {rule.title} (error)")
    for text in (rule.error_type, rule.why, f"Fix: {rule.fix}", rule.source, "/docs/rules.md#e2"):
        assert text in " ".join(told.split())
    assert rule.bad.splitlines()[0] in told

    status, out, err = run_main(monkeypatch, capsys, "--explain", "E22")
    assert (status, out, "did you mean E2" in err) == (2, "", True)


def test_bytes_that_are_no_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["oci:\udcff"], ["oci:x", "--entrypoint", "/\udcff"], ["\udcff"]):
        status, out, err = run_main(monkeypatch, capsys, *arguments, "--architecture", CPU)

        assert (status, out) == (2, "")
        assert "an argument is not text in UTF-8" in err


# --- what cannot be read ------------------------------------------------------------------------


@pytest.mark.proof
def test_a_bomb_of_ten_gigabytes_in_ten_megabytes_is_refused_in_little_memory(
    tmp_path: Path,
) -> None:
    member = tarfile.TarInfo("zeros")
    member.size = 10 * 1024 * MIB
    zeros = gzip.compress(bytes(64 * MIB))
    blob = gzip.compress(member.tobuf()) + zeros * 160 + gzip.compress(bytes(1024))
    bomb = replace(BASE, blob=blob, digest=digest_of(blob), size=len(blob))
    assert len(blob) < 10.5 * MIB
    image = image_in(tmp_path, bomb)

    done = check(image.reference, "--architecture", CPU, memory=256 * MIB)

    assert done.returncode == 1
    assert "the layers have more than 10 GiB when uncompressed" in done.stdout


@pytest.mark.proof
def test_a_gigabyte_of_zeros_is_read_in_little_memory(tmp_path: Path) -> None:
    member = tarfile.TarInfo("zeros")
    member.size = 1024 * MIB
    zeros = gzip.compress(bytes(64 * MIB))
    header, end = gzip.compress(member.tobuf()), bytes(1024)
    blob = header + zeros * 16 + gzip.compress(end)
    sha256 = hashlib.sha256(member.tobuf())
    for _ in range(16):
        sha256.update(bytes(64 * MIB))
    sha256.update(end)
    large = replace(
        BASE,
        blob=blob,
        diff_id=f"sha256:{sha256.hexdigest()}",
        digest=digest_of(blob),
        size=len(blob),
    )
    image = image_in(tmp_path, BASE, large)

    done = check(image.reference, "--architecture", CPU, memory=256 * MIB)

    assert (done.returncode, done.stderr) == (0, "")


def test_too_little_memory_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(imagecheck.run, "open_source", exhausted)

    assert run_main(monkeypatch, capsys, "oci:x", "--architecture", CPU) == (
        2, "", "error: there is not enough memory to read the image\n",
    )  # fmt: skip


@pytest.mark.parametrize("fault", [RuntimeError, KeyError, RecursionError, OSError, AssertionError])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_an_internal_error_names_our_own_line_and_a_file_with_the_traceback(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: type[Exception],
    form: list[str],
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(imagecheck.run, "open_source", broken_by(fault))

    status, out, err = run_main(monkeypatch, capsys, "oci:x", "--architecture", CPU, *form)

    message, hint = err.splitlines()
    assert (status, bool(out)) == (2, bool(form))
    place = rf"internal error: {fault.__name__} in imagecheck/run\.py:\d+"
    assert re.fullmatch(f"error: {place}", message)
    (file,) = tmp_path.glob("traceback-*.txt")
    assert hint.startswith(f"hint: the traceback is in {file}; please report it: https://")
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    assert all(said in text for said in (fault.__name__, SECRET, "The cause", "in run_check"))
    assert SECRET not in out + err
    if form:
        wrong = json.loads(out)["error"]
        assert (wrong["code"], wrong["details"]) == ("INTERNAL_ERROR", {"traceback": str(file)})


def test_debug_prints_the_chained_trace_of_an_internal_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(imagecheck.run, "open_source", broken_by(KeyError))

    status, _, err = run_main(monkeypatch, capsys, "oci:x", "--architecture", CPU, "--debug")

    assert (status, err.count("Traceback")) == (2, 1)
    assert err.index("ValueError: The cause") < err.index("KeyError: ") < err.index("\nerror: ")


def broken_by(fault: type[Exception]) -> Callable[..., None]:
    def broken(*_: object, **__: object) -> None:
        raise fault(f"TOKEN={SECRET}") from ValueError("The cause")

    return broken


def test_debug_prints_the_trace_before_the_message_and_how_long_each_step_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = image_in(tmp_path).reference
    _, _, told = run_main(monkeypatch, capsys, name, "--architecture", CPU, "--debug")
    assert re.search(rf"^reading {re.escape(name)}: \d+\.\d{{3}} s$", told, re.MULTILINE)

    nothing = tmp_path / "nothing"
    status, _, told = run_main(monkeypatch, capsys, f"oci:{nothing}", "--debug")
    assert status == 2
    assert told.startswith("Traceback")
    assert told.count(", in run_check\n") == 1
    assert told.endswith(f"\nerror: {nothing}: No such file or directory\n")


def test_what_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here at once: no image is read in a millionth of a second."""
    arguments = (image_in(tmp_path).reference, "--architecture", CPU, "--timeout")

    status, out, err = run_main(monkeypatch, capsys, *arguments, "0.000001")
    assert (status, out, err.count("\n")) == (2, "", 2)
    assert err.endswith("\nhint: give it more with --timeout SECONDS\n")
    assert run_main(monkeypatch, capsys, *arguments, "60")[0] == 0


def test_without_a_cache_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (image_in(tmp_path / "image").reference, "--architecture", CPU)

    assert run_main(monkeypatch, capsys, *arguments, "--no-cache")[0] == 0
    assert not (tmp_path / "cache").exists()
    assert run_main(monkeypatch, capsys, *arguments)[0] == 0
    assert (tmp_path / "cache").exists()


def test_nothing_is_said_of_an_index_without_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    index = write_index(tmp_path, image_in(tmp_path, architecture="s390x"))

    status, out, _ = run_main(monkeypatch, capsys, index.reference, "--architecture", CPU)

    assert (status, "✗ B1" in out) == (1, True)


# --- what people and terminals see --------------------------------------------------------------


def test_a_terminal_obeys_nothing_that_an_image_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\u009b31m\u202e\r\nbell"
    layers = [
        BASE,
        layer_of(Symlink("run", f"/{evil}")),
        layer_of(File(f"var/task/{evil}.py", "", 0o600)),
    ]
    image = image_in(tmp_path, *layers, entrypoint=["/run"], cmd=[evil], architecture=evil)
    damaged = image_in(tmp_path / "other", layer_of(Symlink(evil, ""), parents=False))

    for arguments in (
        [image.reference, "--architecture", CPU],
        [image.reference, "--architecture", CPU, "--json"],
        [
            image.reference,
            "--architecture",
            CPU,
            "--against",
            image_in(tmp_path / "good").reference,
        ],
        [damaged.reference, "--architecture", CPU],
        [f"oci:{evil}", "--architecture", CPU],
        [evil, "--architecture", CPU],
        ["oci:x", "--template", evil],
    ):
        _, out, err = run_main(monkeypatch, capsys, *arguments)
        printed = out + err
        assert "owned" in printed
        assert all(c.isprintable() or c == "\n" for c in printed)
        assert "bell" not in printed.splitlines()


SECRET = "hunter2"


def test_secrets_are_never_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    env = {"TOKEN": SECRET, "AWS_SECRET_ACCESS_KEY": SECRET, "_X": SECRET}
    image = image_in(tmp_path / "one", env=env)
    bad = image_in(tmp_path / "two", BASE, OTHER_SHELL, env={**env, "TOKEN": f"{SECRET}!"})
    template = write_template(
        tmp_path, F=function(image, Environment={"Variables": {"TOKEN": SECRET}})
    )
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(
        f"FROM base:latest\nRUN --mount=from=tool:1 curl -H 'Token: {SECRET}' x\n"
    )
    cpu = ["--architecture", CPU]
    for arguments in (
        [bad.reference, *cpu, "--against", image.reference, "--env", f"TOKEN={SECRET}"],
        [bad.reference, *cpu, "--env", SECRET],
        [bad.reference, *cpu, "--env", f"={SECRET}"],
        [bad.reference, *cpu, "--env", "LONG=" + SECRET * 1000],
        [image.reference, "--template", template],
        [image.reference, *cpu, "--dockerfile", dockerfile],
        [f"docker://me:{SECRET}@localhost:1/rooms:v1", *cpu],
        [f"https://me:{SECRET}@localhost:1/rooms:v1", *cpu],
        [image.reference, *cpu, "--base", f"docker://me:{SECRET}@h/rooms:v1"],
    ):
        for form in ([], ["--json"]):
            _, out, err = run_main(monkeypatch, capsys, *arguments, *form)
            assert out + err
            assert SECRET not in out + err


@pytest.mark.proof
@pytest.mark.parametrize("locale", ["C", "nonsense"])
def test_any_locale_will_do(tmp_path: Path, locale: str) -> None:
    image = image_in(tmp_path, BASE, OTHER_SHELL)
    plain = {"LANG": locale, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    for flags in ([], ["--json"]):
        done = check(image.reference, "--architecture", CPU, *flags, env=plain)
        assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["findings"][0]["rule"] == "C2"


@pytest.mark.proof
def test_an_output_that_cannot_have_every_character(tmp_path: Path) -> None:
    image = image_in(tmp_path, BASE, OTHER_SHELL, cmd=["\N{GRINNING FACE}"])

    done = check(image.reference, "--architecture", CPU, env={"PYTHONIOENCODING": "latin-1"})

    assert (done.returncode, done.stderr) == (1, "")
    assert "  starts   /lambda-entrypoint.sh \\U0001f600" in done.stdout


@pytest.mark.proof
def test_who_reads_a_pipe_may_go(tmp_path: Path) -> None:
    """The answer stays what it is."""
    good, bad = image_in(tmp_path / "good"), image_in(tmp_path / "bad", BASE, OTHER_SHELL)
    for image, flags, status in ((good, [], 0), (bad, ["--json"], 1)):
        read, write = os.pipe()
        os.close(read)
        process = subprocess.Popen(
            [*COMMAND, image.reference, "--architecture", CPU, *flags],
            stdout=write,
            stderr=subprocess.PIPE,
        )
        os.close(write)
        _, err = process.communicate()

        assert (process.returncode, err) == (status, b"")


@pytest.mark.proof
def test_who_reads_the_help_may_go() -> None:
    for flag in ("--help", "--list-rules"):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            [*COMMAND, flag], stdout=write, stderr=subprocess.PIPE, text=True, check=False
        )
        os.close(write)

        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.proof
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-", ">/dev/full"])
def test_streams_that_are_closed(tmp_path: Path, closed: str) -> None:
    image = image_in(tmp_path)
    command = f"{shlex.join(COMMAND)} {image.reference} --architecture {CPU} {closed}"

    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)

    assert done.returncode == (2 if "full" in closed else 0)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.proof
def test_nothing_is_shown_of_the_reading_in_a_pipe(tmp_path: Path) -> None:
    """Not even when the answer is read on a terminal."""
    image = image_in(tmp_path)
    screen, terminal = pty.openpty()

    done = subprocess.run(
        [*COMMAND, image.reference, "--architecture", CPU],
        stdout=terminal,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(terminal)

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b[32m" in shown_on(screen)  # what is fine is green


@pytest.mark.proof
def test_a_bar_shows_the_reading_on_a_terminal(tmp_path: Path) -> None:
    image = image_in(tmp_path)
    command = [*COMMAND, image.reference, "--architecture", CPU]
    for is_cached in (False, True):
        screen, terminal = pty.openpty()

        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=terminal, check=False,
            env={**os.environ, "TERM": "xterm"},
        )  # fmt: skip
        os.close(terminal)

        assert done.returncode == 0
        assert b"\x1b" not in done.stdout
        assert (b"reading layers" in shown_on(screen)) is not is_cached


def shown_on(screen: int) -> bytes:
    shown = b""
    try:
        while piece := os.read(screen, 65536):
            shown += piece
    except OSError:  # EIO: the other side is closed
        pass
    os.close(screen)
    return shown


@pytest.mark.proof
def test_an_interruption_is_one_line() -> None:
    """While it waits for a registry that does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        name = f"docker://127.0.0.1:{server.getsockname()[1]}/rooms:v1"
        process = subprocess.Popen(
            [*COMMAND, name, "--architecture", CPU],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = server.accept()
        with connection:
            connection.recv(1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()

    assert (process.returncode, out) == (2, "")
    assert err == "error: interrupted\n"
