"""uv installs with pip's settings: a user who has set up pip alone needs to set up nothing else."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cdk_context import ROOT
from tests.support.package_index import PackageIndex, running_index
from tests.support.wheels import wheel
from tools.python_packages import uv_settings

_UV = Path(sys.executable).with_name("uv")
_INSTALL = (
    "import sys; from pathlib import Path; from tools.python_packages import install;"
    " sys.exit(install(Path(sys.argv[1]), sys.argv[2:]))"
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PackageIndex]:
    with running_index(tmp_path_factory.mktemp("index")) as running:
        yield running


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own, with pip."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder / "bin" / "python"


def _install(
    python: Path, index: PackageIndex, folder: Path, settings: Mapping[str, str], pip: str = ""
) -> subprocess.CompletedProcess[str]:
    """Install the package ``example`` with nothing set up but what is given."""
    locked = folder / "requirements.txt"
    locked.write_text(f"example==1 --hash=sha256:{index.digest}\n")
    configuration = folder / "pip.conf"
    filled_in = {"URL": index.url, "FILES": str(index.files), "CERTIFICATE": str(index.certificate)}
    configuration.write_text(pip.format(**filled_in))
    return subprocess.run(
        [python, "-c", _INSTALL, _UV, locked],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "UV_CACHE_DIR": str(folder / "cache"),
            "UV_HTTP_RETRIES": "0",
            "PIP_CONFIG_FILE": str(configuration) if pip else os.devnull,
            **{name: value.format(**filled_in) for name, value in settings.items()},
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.proof
@pytest.mark.parametrize(
    ("settings", "pip"),
    [
        ({"PIP_INDEX_URL": "{URL}", "PIP_CERT": "{CERTIFICATE}"}, ""),
        ({"PIP_INDEX_URL": "{URL}", "PIP_TRUSTED_HOST": "127.0.0.1"}, ""),
        ({"PIP_INDEX_URL": "{URL}", "REQUESTS_CA_BUNDLE": "{CERTIFICATE}"}, ""),
        ({"PIP_INDEX_URL": "{URL}", "SSL_CERT_FILE": "{CERTIFICATE}"}, ""),
        ({}, "[global]\nindex-url = {URL}\ncert = {CERTIFICATE}\n"),
        (
            {"PIP_CERT": "{CERTIFICATE}"},
            "[global]\nindex-url = https://127.0.0.1:9/\n[install]\nindex-url = {URL}\n",
        ),
        ({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/not/there {FILES}"}, ""),
    ],
    ids=["cert", "trusted-host", "ca-bundle", "ssl", "file", "section", "no-index"],
)
def test_what_is_said_to_pip_alone_is_enough(
    python: Path, index: PackageIndex, tmp_path: Path, settings: dict[str, str], pip: str
) -> None:
    done = _install(python, index, tmp_path, settings, pip)

    assert (done.returncode, done.stderr) == (0, "")
    subprocess.run([python, "-c", "import example"], check=True)
    subprocess.run([_UV, "pip", "uninstall", "-q", "--python", python, "example"], check=True)


@pytest.mark.proof
def test_a_certificate_that_nobody_vouches_for_is_refused(
    python: Path, index: PackageIndex, tmp_path: Path
) -> None:
    done = _install(python, index, tmp_path, {"PIP_INDEX_URL": "{URL}"})

    assert done.returncode != 0
    assert "certificate" in done.stderr


@pytest.mark.proof
def test_what_is_said_to_uv_itself_wins(python: Path, index: PackageIndex, tmp_path: Path) -> None:
    said = {"UV_DEFAULT_INDEX": "{URL}", "PIP_CERT": "{CERTIFICATE}"}

    done = _install(python, index, tmp_path, {**said, "PIP_INDEX_URL": "https://127.0.0.1:9/"})

    assert (done.returncode, done.stderr) == (0, "")
    subprocess.run([_UV, "pip", "uninstall", "-q", "--python", python, "example"], check=True)


@pytest.mark.proof
def test_another_file_than_the_locked_one_is_refused(
    python: Path, index: PackageIndex, tmp_path: Path
) -> None:
    other = replace(index, digest="0" * 64)
    said = {"PIP_INDEX_URL": "{URL}", "PIP_CERT": "{CERTIFICATE}"}
    done = _install(python, other, tmp_path, said)

    assert done.returncode != 0
    assert "Hash mismatch" in done.stderr


@pytest.mark.proof
def test_uv_installs_again_what_was_overwritten(tmp_path: Path) -> None:
    environment, packages = tmp_path / "environment", tmp_path / "packages"
    packages.mkdir()
    content = {
        "whole": wheel("whole", {"shared.py": "owner = 'whole'\n"}, needs="part"),
        "part": wheel("part", {"shared.py": "owner = 'part'\n"}),
    }
    locked = tmp_path / "requirements.txt"
    locked.write_text(
        "".join(
            f"{name}==1 --hash=sha256:{hashlib.sha256(file).hexdigest()}\n"
            for name, file in content.items()
        )
    )
    for name, file in content.items():
        (packages / f"{name}-1-py3-none-any.whl").write_bytes(file)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(packages),
        "PIP_CONFIG_FILE": os.devnull,
    }
    by_hand: list[str | Path] = [
        _UV,
        "pip",
        "install",
        "-q",
        "--python",
        python,
        "--no-index",
        "--no-deps",
    ]
    for name in content:
        subprocess.run([*by_hand, "--find-links", packages, name], check=True, env=settings)
    shared = [str(python), "-c", "import shared; print(shared.owner)"]
    assert subprocess.check_output(shared, text=True) == "part\n"

    subprocess.run([python, "-c", _INSTALL, _UV, locked], cwd=ROOT, env=settings, check=True)

    assert subprocess.check_output(shared, text=True) == "whole\n"


@pytest.mark.parametrize(
    ("pip", "uv"),
    [
        (
            {"extra-index-url": "https://a/\nhttps://b/"},
            {"UV_EXTRA_INDEX_URL": "https://a/ https://b/"},
        ),
        ({"timeout": "60", "retries": "9"}, {"UV_HTTP_TIMEOUT": "60", "UV_HTTP_RETRIES": "9"}),
        ({"keyring-provider": "subprocess"}, {"UV_KEYRING_PROVIDER": "subprocess"}),
        ({"client-cert": "/me.pem"}, {"SSL_CLIENT_CERT": "/me.pem"}),
        ({"cert": "/"}, {"SSL_CERT_DIR": "/"}),
        (
            {"proxy": "http://p:1"},
            dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://p:1"),
        ),
        ({"index-url": "", "disable-pip-version-check": "1"}, {}),
    ],
)
def test_each_setting_has_its_name_in_uv(pip: dict[str, str], uv: dict[str, str]) -> None:
    always = {"UV_SYSTEM_CERTS": "true", "UV_INDEX_STRATEGY": "unsafe-best-match"}

    assert uv_settings(pip, {}) == uv | always


def test_a_variable_of_uv_is_left_alone() -> None:
    given = {"UV_SYSTEM_CERTS": "false", "UV_INDEX_STRATEGY": "first-index", "UV_HTTP_TIMEOUT": "1"}

    assert uv_settings({"timeout": "60", "index-url": "https://a/"}, given) == {
        "UV_INDEX_URL": "https://a/"
    }


@pytest.mark.proof
def test_nothing_is_installed_where_uv_cannot_be_had(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.python_packages", "requirements-run.txt"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "TMPDIR": str(tmp_path),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "No matching distribution found for uv==" in done.stderr
    assert list(tmp_path.iterdir()) == []
