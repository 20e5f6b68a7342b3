"""push, pin and promote as people and pipelines run them, against a real registry behind ECR."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import config.image_lock
import release.registry.promote
from config.image_lock import ImagePin, read_image_lock
from local.docker_registry import running_registry
from release.build.gates import Gate
from tests.release.registry.test_push import pushed
from tests.support.imagecheck.http_server import Answer, serving
from tests.support.imagecheck.images import File, Image, layer_of, write_image
from tests.support.imagecheck.programs import aws_like_base, busybox, of_other_cpu
from tests.support.release.checkout import ARCHITECTURE, BASE_DIGEST, Checkout, checkout, git
from tests.support.release.commanding import Run
from tests.support.release.emulated_ecr import (
    ACCOUNT,
    HOST,
    REGION,
    EmulatedEcr,
    emulated_ecr,
    use_credentials_of_nobody,
)

PLACE = f"account {ACCOUNT}, Region {REGION}"
DEV, PRD = "hima-five-bomber-dev-rooms", "hima-five-bomber-prd-rooms"
HERE = {"x86_64": "x86_64", "aarch64": "arm64"}[os.uname().machine]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture
def ecr(registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedEcr]:
    use_credentials_of_nobody(tmp_path, monkeypatch)
    with emulated_ecr(registry, [DEV, PRD]) as ecr:
        yield ecr


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A checkout that is the current folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = checkout(tmp_path / "project")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def image(project: Checkout) -> Image:
    """What was built from there, and has passed its gates."""
    return built(project)


def built(project: Checkout, shell: bytes | None = None, **changes: Any) -> Image:
    """An image whose commit no other test has, as left by `build`, `check` and `boot`."""
    here = shell if shell is not None else busybox()
    if ARCHITECTURE != HERE:
        here = of_other_cpu(here)
    layers = [
        layer_of(*aws_like_base()),
        layer_of(File("bin/busybox", here, 0o755)),
        layer_of(
            File("var/task/app.py", f"# {project.root}\ndef handler(event, context): return 1\n")
        ),
    ]
    made = write_image(
        project.root / "build/image",
        layers,
        entrypoint=["/lambda-entrypoint.sh"],
        cmd=["app.handler"],
        **changes,
    )
    (project.root / "lambda_src/app.py").write_text(f"{project.root}\n")
    project.commit_all()
    project.record(made.digest)
    return made


def lock_bytes(project: Checkout) -> bytes:
    return project.lock.read_bytes()


def test_the_way_of_an_image(project: Checkout, image: Image, ecr: EmulatedEcr, run: Run) -> None:
    """Pushed and pinned for dev, promoted to prd: the same bytes, and the commit's name."""
    commit = project.commit

    status, out, err = run("push", "dev")
    assert status == 0
    assert out.splitlines()[0] == f"docker://{HOST}/{DEV}@{image.digest}"
    assert f"  tag      {commit}" in out
    assert "next: python -m release pin dev" in out
    assert err.startswith(f"dev: {PLACE}\npushing {image.digest} ...\n")
    assert ecr.manifest(DEV, commit) == ecr.manifest(DEV, image.digest)

    status, out, err = run("pin", "dev")
    assert (status, err) == (0, f"dev: {PLACE}\n")
    assert 'next: git add image-lock.json && git commit -m "Pin dev"' in out
    pin = read_image_lock(project.lock)["dev"]
    assert pin == ImagePin(
        digest=image.digest,
        architecture=ARCHITECTURE,
        base_digest=BASE_DIGEST,
        source_revision=commit,
        pinned_at=pin.pinned_at,
    )
    assert not project.project.revision().dirty  # the lock apart
    project.commit_all()

    status, out, err = run("promote", "dev", "prd")
    assert status == 0
    first, second, warning, *_ = err.splitlines()
    assert (first, second) == (f"dev: {PLACE}", f"prd: {PLACE}")
    assert warning.startswith(f"warning: dev and prd are in one account ({ACCOUNT}). They share")
    assert f"copying {image.digest} to {HOST}/{PRD} ...\n" in err
    assert "checking it there ...\n" in err
    assert ecr.manifest(PRD, commit) == ecr.manifest(DEV, commit)
    pins = read_image_lock(project.lock)
    assert pins["dev"] == pin
    assert pins["prd"].digest == image.digest
    assert pins["prd"].source_revision == commit
    assert pins["prd"].pinned_at >= pin.pinned_at


def test_pinned_before_it_is_pushed(
    project: Checkout, image: Image, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a pipeline, where another job has the credentials of that stage: AWS is not asked."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    status, _, err = run("pin", "dev", "--push-later")

    assert (status, err) == (0, "")
    assert read_image_lock(project.lock)["dev"].digest == image.digest


@pytest.mark.proof
@pytest.mark.usefixtures("ecr")
def test_json(project: Checkout, image: Image, run: Run) -> None:
    status, out, _ = run("push", "dev", "--json")
    answer = json.loads(out)
    assert answer.pop("sentBytes") > 0
    assert (status, answer) == (0, {
        "version": 1,
        "command": "push",
        "ok": True,
        "stage": "dev",
        "account": ACCOUNT,
        "region": REGION,
        "repository": f"{HOST}/{DEV}",
        "digest": image.digest,
        "tag": project.commit,
        "wasThere": False,
        "skipped": [],
    })  # fmt: skip

    status, out, _ = run("pin", "dev", "--json")
    entry = json.loads(lock_bytes(project))["dev"]
    answer = json.loads(out)
    assert (status, answer["command"], answer["stage"]) == (0, "pin", "dev")
    assert (answer["pin"], answer["skipped"]) == (entry, [])

    project.commit_all()
    status, out, _ = run("promote", "dev", "prd", "--json")
    answer = json.loads(out)
    assert status == 0
    assert list(answer)[3:] == [
        "from",
        "stage",
        "account",
        "region",
        "repository",
        "pin",
        "wasThere",
        "sentBytes",
    ]
    assert answer["pin"] == json.loads(lock_bytes(project))["prd"]


# --- push ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("image", "ecr")
def test_a_second_push_finds_it_there(run: Run) -> None:
    run("push", "dev")
    status, out, _ = run("push", "dev")
    assert status == 0
    assert "nothing: it was there" in out


def test_a_push_to_another_registry(
    project: Checkout, image: Image, registry: str, run: Run
) -> None:
    status, out, _ = run("push", "dev", "--to", f"docker://{registry}/else/where")
    assert status == 0
    assert out.splitlines() == [
        f"docker://{registry}/else/where@{image.digest}",
        f"  tag      {project.commit}",
        out.splitlines()[2],
    ]


@pytest.mark.proof
def test_a_push_to_ecr_by_its_name(
    project: Checkout, image: Image, ecr: EmulatedEcr, run: Run
) -> None:
    """The password comes from AWS, as for the stage's own."""
    status, _, err = run("push", "dev", "--to", f"docker://{HOST}/{PRD}")
    assert status == 0, err
    assert ecr.digest(PRD, project.commit) == image.digest


@pytest.mark.parametrize(
    "to",
    ["localhost:5000/rooms", "docker://h/r:tag", f"docker://h/r@sha256:{'0' * 64}", "oci:x", ""],
)
@pytest.mark.usefixtures("image")
def test_a_destination_has_no_tag_of_its_own(run: Run, to: str) -> None:
    status, out, err = run("push", "dev", "--to", to)
    assert (status, out) == (2, "")
    assert "--to takes docker://HOST[:PORT]/REPOSITORY" in err


def test_another_image_of_the_same_commit_is_refused(
    project: Checkout, image: Image, ecr: EmulatedEcr, run: Run
) -> None:
    run("push", "dev")
    commit = project.commit
    other = write_image(project.root / "build/image", [layer_of(File("app", b"other"))])
    project.record(other.digest)

    status, out, err = run("push", "dev")

    assert (status, out) == (1, "")
    assert f"has another image of commit {commit}: {image.digest}" in err
    assert f"--against docker://{HOST}/{DEV}@{image.digest} --architecture x86_64" in err
    assert ecr.digest(DEV, commit) == image.digest
    assert ecr.manifest(DEV, other.digest) is None


@pytest.mark.proof
@pytest.mark.usefixtures("ecr")
def test_what_has_not_passed_is_not_pushed_or_pinned(
    project: Checkout, image: Image, run: Run
) -> None:
    run("push", "dev")
    gates: dict[Gate, Gate] = {"check": "boot", "boot": "check"}
    for missing, passed in gates.items():
        project.record(image.digest, passed=[passed])
        for command in ("push", "pin"):
            status, out, err = run(command, "dev")
            assert (status, out) == (1, "")
            assert f"has not passed `{missing}`\nhint: python -m release {missing} " in err

            status, out, err = run(command, "dev", f"--skip-{missing}", "--json")
            assert (status, json.loads(out)["skipped"]) == (0, [missing])
            assert f"SKIPPED: {missing}. This image has not passed it" in err


def test_an_image_that_is_not_the_one_of_the_record(
    project: Checkout, image: Image, ecr: EmulatedEcr, run: Run
) -> None:
    other = write_image(project.root / "other", [layer_of(File("app", b"swapped"))])
    for arguments in (["--image", other.reference], ["--skip-check", "--skip-boot"]):
        if "--image" not in arguments:
            project.record("sha256:" + "5" * 64)
        status, out, err = run("push", "dev", *arguments)
        assert (status, out) == (1, "")
        assert "build again" in err
    assert ecr.tags(DEV).count(project.commit) == 0
    assert image


def test_a_build_of_no_commit_has_no_name(
    project: Checkout, image: Image, registry: str, run: Run
) -> None:
    project.record(image.digest, dirty=True)
    for to in ([], ["--to", f"docker://{registry}/rooms"]):
        status, out, err = run("push", "dev", *to)
        assert (status, out) == (1, "")
        assert "was built from uncommitted changes" in err


def test_nothing_is_built(project: Checkout, run: Run) -> None:
    for command in ("push", "pin"):
        status, out, err = run(command, "dev")
        assert (status, out) == (2, "")
        assert "hint: python -m release build dev\n" in err
    assert lock_bytes(project) == b"{}\n"


@pytest.mark.usefixtures("image")
def test_no_such_stage(run: Run) -> None:
    for arguments in (["push", "devel"], ["pin", "devel"], ["promote", "dev", "devel"]):
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert "there is no stage 'devel' in cdk.json" in err


@pytest.mark.usefixtures("image")
def test_without_credentials(
    run: Run, project: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_credentials_of_nobody(tmp_path, monkeypatch)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for command in ("push", "pin"):
        status, out, err = run(command, "dev")
        assert (status, out) == (2, "")
        assert "no AWS credentials are found\nhint: set AWS_PROFILE" in err
    assert lock_bytes(project) == b"{}\n"


@pytest.mark.usefixtures("image")
def test_without_a_repository(
    registry: str, run: Run, project: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_credentials_of_nobody(tmp_path, monkeypatch)
    with emulated_ecr(registry, []):
        for command in ("push", "pin"):
            status, out, err = run(command, "dev")
            assert (status, out) == (1, "")
            assert "npx cdk deploy -c stage=dev hima-five-bomber-dev-registry" in err
    assert lock_bytes(project) == b"{}\n"


# --- pin ----------------------------------------------------------------------------------------


@pytest.mark.proof
@pytest.mark.usefixtures("ecr")
def test_other_stages_keep_their_pins(project: Checkout, image: Image, run: Run) -> None:
    theirs = ImagePin(
        digest="sha256:" + "7" * 64,
        architecture="arm64",
        base_digest=BASE_DIGEST,
        source_revision="a" * 40,
        pinned_at="2026-01-01T00:00:00Z",
    )
    project.pin("prd", theirs)
    project.commit_all()
    project.record(image.digest)
    assert run("push", "dev")[0] == 0
    assert run("pin", "dev")[0] == 0
    assert read_image_lock(project.lock)["prd"] == theirs


@pytest.mark.usefixtures("ecr")
def test_an_image_that_was_not_pushed_is_not_pinned(
    project: Checkout, image: Image, run: Run
) -> None:
    status, out, err = run("pin", "dev")
    assert (status, out) == (1, "")
    assert f"{image.digest} is not in {HOST}/{DEV}\nhint: push it" in err
    assert lock_bytes(project) == b"{}\n"


def test_an_image_for_another_cpu_is_not_pinned(project: Checkout, image: Image, run: Run) -> None:
    project.record(image.digest, architecture="arm64")
    status, out, err = run("pin", "dev")
    assert (status, out) == (1, "")
    assert "is for arm64, but the functions of dev are x86_64" in err
    assert lock_bytes(project) == b"{}\n"


@pytest.mark.parametrize("when", ["then", "now"])
def test_a_dirty_tree_pins_nothing(project: Checkout, image: Image, run: Run, when: str) -> None:
    if when == "then":
        project.record(image.digest, dirty=True)
    else:
        (project.root / "new.py").write_text("")
    status, out, err = run("pin", "dev")
    assert (status, out) == (1, "")
    assert "uncommitted changes" in err
    assert lock_bytes(project) == b"{}\n"


@pytest.mark.proof
@pytest.mark.usefixtures("ecr")
def test_an_image_of_an_older_commit_is_good_as_long_as_the_source_is(
    project: Checkout, run: Run, image: Image
) -> None:
    """A commit of the pin itself, or of documents, asks for no other build."""
    run("push", "dev")
    built_from = project.commit
    (project.root / "README.md").write_text("words")
    project.commit_all()
    assert run("pin", "dev")[0] == 0
    assert read_image_lock(project.lock)["dev"].source_revision == built_from
    before = lock_bytes(project)

    (project.root / "lambda_src/app.py").write_text("second\n")
    project.commit_all()
    status, out, err = run("pin", "dev")
    assert (status, out) == (1, "")
    assert f"{image.digest} was built from {built_from}, and lambda_src has changed since" in err
    assert lock_bytes(project) == before


def test_an_image_of_a_commit_that_is_gone_is_not_pinned(
    project: Checkout, run: Run, image: Image
) -> None:
    project.record(image.digest, source_revision="d" * 40)
    status, _, err = run("pin", "dev")
    assert status == 1
    assert "lambda_src has changed since" in err


@pytest.mark.usefixtures("ecr")
def test_an_interruption_leaves_the_lock_as_it_was(
    project: Checkout, run: Run, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the moment in which it is written."""
    run("push", "dev")

    def interrupted(self: Path, _: Path) -> None:
        assert json.loads(self.read_bytes())["dev"]["digest"] == image.digest
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", interrupted)
        status, out, err = run("pin", "dev")

    assert (status, out) == (2, "")
    assert err == (f"dev: {PLACE}\nerror: interrupted; nothing was changed\n")
    assert lock_bytes(project) == b"{}\n"
    assert git(project.root, "status", "--porcelain") == ""


@pytest.mark.proof
@pytest.mark.usefixtures("ecr")
def test_a_full_disk_leaves_the_lock_as_it_was(
    project: Checkout, run: Run, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("push", "dev")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(config.image_lock, "write_image_lock", full)
    status, out, err = run("pin", "dev")
    assert (status, out) == (2, "")
    assert "image-lock.json cannot be written: No space left on device; it is unchanged" in err
    assert lock_bytes(project) == b"{}\n"
    assert image


@pytest.mark.proof
@pytest.mark.usefixtures("ecr", "image")
def test_a_lock_that_cannot_be_read_is_not_replaced(project: Checkout, run: Run) -> None:
    run("push", "dev")
    project.lock.write_text('{"prd": {"digest": 1}}')
    before = lock_bytes(project)
    for arguments in (["pin", "dev"], ["promote", "dev", "prd"]):
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert "image-lock.json" in err
        assert lock_bytes(project) == before


# --- promote ------------------------------------------------------------------------------------


@pytest.fixture
def pinned(project: Checkout, image: Image, ecr: EmulatedEcr, run: Run) -> Image:
    """An image that dev has, with all that is committed."""
    assert ecr
    assert run("push", "dev")[0] == 0
    assert run("pin", "dev")[0] == 0
    project.commit_all()
    return image


def refused(project: Checkout, run: Run, *arguments: str) -> str:
    before = lock_bytes(project)
    status, out, err = run("promote", *(arguments or ("dev", "prd")))
    assert (status, out) == (1, "")
    assert lock_bytes(project) == before
    return err


def test_what_is_not_pinned_is_not_promoted(project: Checkout, run: Run) -> None:
    assert "no image is pinned for dev" in refused(project, run)


def test_a_stage_is_not_promoted_to_itself(project: Checkout, run: Run) -> None:
    assert "dev cannot be promoted to itself" in refused(project, run, "dev", "dev")


@pytest.mark.usefixtures("pinned")
def test_a_dirty_tree_promotes_nothing(project: Checkout, run: Run) -> None:
    (project.root / "new.py").write_text("")
    assert "the work tree has uncommitted changes" in refused(project, run)


@pytest.mark.usefixtures("pinned")
def test_a_pin_that_is_not_committed_is_not_promoted(project: Checkout, run: Run) -> None:
    pin = read_image_lock(project.lock)["dev"]
    project.pin("dev", ImagePin(**{**_fields(pin), "pinned_at": "2027-01-01T00:00:00Z"}))
    assert "the pin of dev is not committed" in refused(project, run)


def test_a_stage_of_another_cpu_gets_nothing(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = checkout(tmp_path / "other", prd={"architecture": "arm64"})
    project.pin("dev", ImagePin(**PIN))
    project.commit_all()
    monkeypatch.chdir(project.root)
    assert "is for x86_64, but the functions of prd are arm64" in refused(project, run)


def test_what_has_gone_from_the_first_repository(
    project: Checkout, run: Run, ecr: EmulatedEcr
) -> None:
    assert ecr
    project.pin("dev", ImagePin(**PIN))
    project.commit_all()
    assert f"{PIN['digest']} is not in {HOST}/{DEV}" in refused(project, run)


@pytest.mark.proof
def test_another_image_of_the_commit_in_the_second_repository(
    project: Checkout, run: Run, ecr: EmulatedEcr, pinned: Image, tmp_path: Path
) -> None:
    other = write_image(tmp_path / "other", [layer_of(File("app", b"another result"))])
    tag = read_image_lock(project.lock)["dev"].source_revision
    pushed(other, ecr.registry, PRD, tag)
    err = refused(project, run)
    assert f"has another image of commit {tag}: {other.digest}" in err
    assert ecr.digest(PRD, tag) == other.digest
    assert ecr.manifest(PRD, pinned.digest) is None


@pytest.mark.proof
def test_what_does_not_pass_the_check_there_is_not_pinned(
    project: Checkout, run: Run, ecr: EmulatedEcr
) -> None:
    """Rule H5, and who skipped the check for the first stage."""
    assert ecr
    image = built(project, shell=of_other_cpu(busybox()))
    run("push", "dev")
    run("pin", "dev")
    project.commit_all()

    err = refused(project, run)

    assert "does not pass the check, and prd stays as it is" in err
    assert "C2: " in err
    assert (
        f"python -m release check docker://{HOST}/{PRD}@{image.digest} --architecture x86_64"
    ) in err


@pytest.mark.usefixtures("pinned")
def test_a_registry_that_fails_midway_changes_no_lock(
    project: Checkout, run: Run, ecr: EmulatedEcr
) -> None:
    before = lock_bytes(project)
    real = ecr.registry
    with serving(lambda _: Answer(403)) as server:
        ecr.registry = server.host  # for the way in only; what there is, is asked of the real one
        ask = ecr._ask
        ecr._ask = lambda *a, **k: _with(ecr, real, ask, *a, **k)  # type: ignore[method-assign]
        status, out, err = run("promote", "dev", "prd")
    assert (status, out) == (2, "")
    assert "HTTP 403" in err.splitlines()[-2]
    assert "a secret" not in err
    assert lock_bytes(project) == before


def _with(ecr: EmulatedEcr, host: str, ask: Callable[..., Any], *a: Any, **k: Any) -> Any:
    kept, ecr.registry = ecr.registry, host
    try:
        return ask(*a, **k)
    finally:
        ecr.registry = kept


@pytest.mark.proof
@pytest.mark.usefixtures("pinned")
def test_an_interruption_of_the_check_says_how_it_stands(
    project: Checkout, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lock_bytes(project)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(release.registry.promote, "check_image", interrupted)
    status, out, err = run("promote", "dev", "prd")
    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == (
        f"error: interrupted; the image is in {HOST}/{PRD}, and the lock file is as it was:"
        " the same command goes on"
    )
    assert lock_bytes(project) == before


PIN: dict[str, Any] = {
    "digest": "sha256:" + "7" * 64,
    "architecture": "x86_64",
    "base_digest": BASE_DIGEST,
    "source_revision": "a" * 40,
    "pinned_at": "2026-01-01T00:00:00Z",
}


def _fields(pin: ImagePin) -> dict[str, Any]:
    return {name: getattr(pin, name) for name in PIN}


# --- as processes -------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["push", "dev"], ["pin", "dev"], ["promote", "dev", "prd"]])
def test_help_teaches(run: Run, arguments: list[str]) -> None:
    status, out, err = run(arguments[0], "--help")
    assert (status, err) == (0, "")
    assert f"python -m release {' '.join(arguments)}" in out
    assert "Exit status 0" in " ".join(out.split())


@pytest.mark.proof
@pytest.mark.usefixtures("image")
def test_ctrl_c_in_the_middle_of_a_push(project: Checkout, tmp_path: Path) -> None:
    """While the registry is silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        to = f"docker://127.0.0.1:{server.getsockname()[1]}/rooms"
        process = subprocess.Popen(
            [sys.executable, "-m", "release", "push", "dev", "--to", to],
            cwd=project.root,
            env={**os.environ, "PYTHONPATH": str(Path(release.__file__).parents[1]),
                 "DOCKER_CONFIG": str(tmp_path)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        connection, _ = server.accept()
        with connection:
            connection.recv(1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert err.splitlines()[-1] == (
        "error: interrupted; no image was made of what has arrived:"
        " the same command goes on from there"
    )
    assert "Traceback" not in err
