"""The package as strangers install it: the wheel, in an environment that has nothing else."""

import ast
import errno
import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from imagecheck import HOME_URL, __version__
from imagecheck.start.exec_chain import errno_name
from tests.support.cdk_context import ROOT
from tests.support.imagecheck.cases import FOREIGN, HOST_CPU, PROGRAM, node, run, scratch
from tests.support.imagecheck.images import File

PACKAGE = ROOT / "imagecheck"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
POSIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
POSIX_NAMES = {"chown", "fork", "geteuid", "getgid", "getuid", "mkfifo", "setuid", "statvfs"}
pytestmark = pytest.mark.xdist_group("package")


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for file in PACKAGE.rglob("*.py"):
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    """The top-level names that a module imports, wherever it does."""
    found = set()
    for one in ast.walk(tree):
        if isinstance(one, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in one.names}
        elif isinstance(one, ast.ImportFrom) and one.level == 0 and one.module:
            found.add(one.module.partition(".")[0])
    return found


# --- what the sources say -----------------------------------------------------------------------


@pytest.mark.proof
def test_it_imports_what_it_declares_and_nothing_else() -> None:
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["ecr"]]
    declared = {Requirement(text).name for text in wanted} | {"botocore"}  # boto3 brings that one
    distributions = metadata.packages_distributions()
    known = {name for name, of in distributions.items() if declared & set(of)}
    foreign = set().union(*(imported(tree) for _, tree in sources()))
    foreign -= sys.stdlib_module_names | {"imagecheck"}

    assert foreign <= known
    used = {of for name in foreign for of in distributions[name]} | {"isal"}  # as a text, in gunzip
    assert declared == used, "a dependency that nothing imports"


def test_it_advises_no_command_that_a_stranger_does_not_have() -> None:
    for file in PACKAGE.rglob("*.py"):
        assert "-m release" not in file.read_text(encoding="utf-8"), file


@pytest.mark.proof
def test_nothing_is_imported_that_windows_lacks() -> None:
    for file, tree in sources():
        assert not imported(tree) & POSIX_ONLY, file
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not used & POSIX_NAMES, file


@pytest.mark.proof
@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_its_types_are_right_on_other_systems(system: str, tmp_path: Path) -> None:
    """What a module of the standard library lacks there, its types lack."""
    mypy = (sys.executable, "-m", "mypy", "--cache-dir", tmp_path, "--platform", system)

    _done(*mypy, "--config-file", ROOT / "pyproject.toml", PACKAGE, cwd=ROOT)


def test_an_error_that_linux_alone_has_has_a_name_everywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(errno.errorcode, errno.ELIBBAD)

    assert errno_name(80) == "ELIBBAD"


def test_the_metadata_and_the_code_name_one_home_and_one_version() -> None:
    assert PROJECT["urls"]["Homepage"] == HOME_URL
    assert all(url.startswith(HOME_URL) for url in PROJECT["urls"].values())
    assert PROJECT["dynamic"] == ["version"]


# --- the wheel ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    _done("uv", "build", "--quiet", "--wheel", "--out-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel and what it brings, and is told nothing of this folder."""
    folder = tmp_path_factory.mktemp("bare") / "environment"
    venv.create(folder, with_pip=True)
    pip: list[str | Path] = [
        folder / "bin/python",
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
    ]
    _done(*pip, "install", wheel, cwd=folder)
    return folder


def _done(
    *command: str | Path, cwd: Path | None = None, status: int = 0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command that nothing of this folder helps."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd or Path("/"),
        env={**clean, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.proof
def test_the_wheel_has_the_folder_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    folders = {name.partition("/")[0] for name in names}

    assert folders == {"imagecheck", f"lambda_image_check-{__version__}.dist-info"}
    assert "imagecheck/py.typed" in names
    assert {f"imagecheck/{file.relative_to(PACKAGE).as_posix()}" for file, _ in sources()} <= set(
        names
    )
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.proof
def test_a_stranger_checks_a_good_and_a_bad_image(bare: Path, tmp_path: Path) -> None:
    command = bare / "bin/lambda-image-check"
    good = scratch(run(PROGRAM))(tmp_path / "good").reference
    bad = scratch(run(FOREIGN))(tmp_path / "bad").reference
    # Its parser is a library, so this is one that needs it.
    lost = node(File("var/task/index.js", "require('uuid');\nexports.handler = 1;\n"))
    unknown = lost(tmp_path / "lost").reference

    assert _done(command, "--version").stdout == f"lambda-image-check {__version__}\n"
    assert "Usage: lambda-image-check" in _done(command, "--help").stdout
    assert "no problems found" in _done(command, good, "--architecture", HOST_CPU).stdout
    said = _done(command, bad, "--architecture", HOST_CPU, "--json", status=1)
    assert json.loads(said.stdout)["findings"][0]["rule"] == "C2"
    said = _done(command, unknown, "--architecture", HOST_CPU, "--json", status=1)
    assert json.loads(said.stdout)["findings"][0]["rule"] == "E2"
    as_module = _done(bare / "bin/python", "-m", "imagecheck", good, "--architecture", HOST_CPU)
    assert as_module.stdout.startswith(good)


@pytest.mark.proof
def test_a_stranger_is_told_what_private_ecr_needs(bare: Path) -> None:
    image = "docker://123456789012.dkr.ecr.eu-west-1.amazonaws.com/rooms:v1"

    told = _done(bare / "bin/lambda-image-check", image, "--architecture", "arm64", status=2)

    assert told.stderr.startswith("error: ")
    assert "boto3, which is not installed\nhint: install it with `pip install boto3`" in told.stderr
    assert told.stderr.count("\n") == 2


@pytest.mark.proof
@pytest.mark.parametrize("way", ["pip install .", "uvx --from .", "pipx run --spec ."])
def test_it_runs_from_a_checkout_in_every_usual_way(way: str, tmp_path: Path) -> None:
    image = scratch(run(FOREIGN))(tmp_path / "image").reference
    asked = (image, "--architecture", HOST_CPU)
    tool = Path(sys.executable).with_name
    command: list[str | Path]
    match way:
        case "pip install .":
            venv.create(tmp_path / "venv", with_pip=True)
            _done(tmp_path / "venv/bin/pip", "install", "--quiet", checkout(tmp_path))
            command = [tmp_path / "venv/bin/lambda-image-check"]
        case "uvx --from .":
            command = [tool("uvx"), "--quiet", "--from", checkout(tmp_path), "lambda-image-check"]
        case _:
            command = [tool("pipx"), "run", "--spec", checkout(tmp_path), "lambda-image-check"]

    assert "✗ C2" in _done(*command, *asked, status=1).stdout


@pytest.mark.proof
def test_it_runs_with_the_oldest_libraries_that_it_declares(wheel: Path, tmp_path: Path) -> None:
    image = scratch(run(FOREIGN))(tmp_path / "image").reference
    uvx = Path(sys.executable).with_name("uvx")
    oldest = ("--resolution", "lowest-direct", "--from", f"{wheel}")

    done = _done(
        uvx, "--quiet", *oldest, "lambda-image-check", image, "--architecture", HOST_CPU, status=1
    )

    assert "✗ C2" in done.stdout


@pytest.mark.proof
def test_pre_commit_runs_it_as_a_hook(tmp_path: Path) -> None:
    """With what is asked in the configuration of whoever takes the hook."""
    hooks, work = checkout(tmp_path), tmp_path / "work"
    work.mkdir()
    good, bad = (scratch(run(one))(work / name) for one, name in ((PROGRAM, "a"), (FOREIGN, "b")))
    assert good
    assert bad
    _committed(work)
    commit = _done("git", "rev-parse", "HEAD", cwd=hooks).stdout.strip()
    for name, status, said in (("a", 0, "no problems found"), ("b", 1, "✗ C2")):
        hook = {"id": "lambda-image-check", "args": [f"oci:{name}", "--architecture", HOST_CPU]}
        repo = {"repo": f"{hooks}", "rev": commit, "hooks": [{**hook, "verbose": True}]}
        (work / ".pre-commit-config.yaml").write_text(json.dumps({"repos": [repo]}))
        _done("git", "add", ".pre-commit-config.yaml", cwd=work)

        done = _done(
            Path(sys.executable).with_name("pre-commit"), "run", "--hook-stage", "pre-push",
            "--all-files", cwd=work, status=status, PRE_COMMIT_HOME=f"{tmp_path}/home",
        )  # fmt: skip

        assert said in done.stdout


def checkout(folder: Path) -> Path:
    """A checkout as far as the package is made of it, so that nothing is written into this one."""
    made = folder / "checkout"
    made.mkdir()
    for name in ("pyproject.toml", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, made)
    (made / "docs").mkdir()
    shutil.copy(ROOT / "docs/lambda-image-check.md", made / "docs")
    shutil.copytree(PACKAGE, made / "imagecheck", ignore=shutil.ignore_patterns("__pycache__"))
    _committed(made)
    return made


def _committed(folder: Path) -> None:
    _done("git", "init", "--quiet", cwd=folder)
    _done("git", "add", ".", cwd=folder)
    identity = ("-c", "user.name=Hima", "-c", "user.email=hima@example.com")
    _done("git", *identity, "commit", "--quiet", "--message", "All", cwd=folder)
