"""A clone on Windows has the same bytes as one on Linux, so that it builds the same image."""

import subprocess
from pathlib import Path

from tests.support.cdk_context import ROOT


def git(*arguments: str, folder: Path = ROOT) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def clone(target: Path) -> Path:
    """A clone as Git for Windows makes it, of the commit here with the attributes that are here."""
    git("clone", "--quiet", "--no-checkout", "--shared", str(ROOT), str(target))
    git("config", "core.autocrlf", "true", folder=target)
    git("config", "core.eol", "crlf", folder=target)
    ours = (ROOT / ".gitattributes").read_text(encoding="utf-8")
    # Those of the commit are taken back first.
    (target / ".git/info/attributes").write_text(f"* !text !eol\n{ours}", encoding="utf-8")
    git("checkout", "--quiet", folder=target)
    return target


def test_a_clone_with_autocrlf_has_the_bytes_of_the_commit(tmp_path: Path) -> None:
    cloned = clone(tmp_path / "clone")
    sources = [file for file in (cloned / "lambda_src").rglob("*") if file.is_file()]

    assert len(sources) > 15
    assert not [str(file) for file in sources if b"\r" in file.read_bytes()]


def test_without_the_attributes_it_would_have_others(tmp_path: Path) -> None:
    """The clone above is one that would show it."""
    cloned = clone(tmp_path / "clone")
    (cloned / ".git/info/attributes").write_text("* text=auto !eol\n")
    (cloned / "lambda_src/Dockerfile").unlink()
    git("checkout", "--quiet", "--", "lambda_src/Dockerfile", folder=cloned)

    assert b"\r\n" in (cloned / "lambda_src/Dockerfile").read_bytes()


def test_no_text_in_the_repository_has_other_line_ends() -> None:
    lines = [line.split() for line in git("ls-files", "--eol").splitlines()]

    assert not [line[-1] for line in lines if line[0] in {"i/crlf", "i/mixed"}]
