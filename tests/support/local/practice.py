"""`make cloud` as a person starts it, and a shell in which its file was sourced."""

import contextlib
import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3

from config.names import StageNames
from tests.support.cdk_context import ROOT
from tests.support.documents import Document

READY: Final = "Ctrl-C ends everything"
# A question that is asked on the terminal.
_QUESTION: Final = re.compile(rb"[(\[][yY]/[nN][)\]][^\n]{0,4}$")
_CHUNK: Final = 65536
_FAILED: Final = "@@ failed: "


@dataclass(frozen=True)
class Terminal:
    """What commands printed, and the first one that failed; empty: none did."""

    output: str
    failed: str


@dataclass(frozen=True)
class PracticeAccount:
    """A running account in a folder, as another terminal sees it."""

    folder: Path

    @property
    def activation(self) -> Path:
        return self.folder / ".local/cloud/activate"

    @property
    def checkout(self) -> Path:
        return self.folder / ".local/cloud/checkout"

    @property
    def greeting(self) -> str:
        """What the first terminal says to do."""
        shown = (self.folder / "terminal.log").read_text(encoding="utf-8")
        return shown[shown.index("In another terminal") : shown.index(READY)]

    @property
    def registry(self) -> str:
        """HOST:PORT of the registry that has the base image."""
        base = re.search(r"BASE=([^/]+)/", self.activation.read_text(encoding="utf-8"))
        assert base is not None
        return base[1]

    def run(self, *commands: str) -> Terminal:
        """Run commands in one bash at a terminal, up to the first that fails.

        Every question is answered with yes.
        """
        script = ["source .local/cloud/activate", *map(_or_say_so, commands)]
        output = _at_a_terminal(["bash", "-c", "\n".join(script)], self.folder)
        said, _, failed = output.partition(_FAILED)
        return Terminal(said, failed.strip())

    def passes(self, *commands: str) -> str:
        """Run commands that have to succeed, and return what they printed."""
        ran = self.run(*commands)
        assert not ran.failed, f"{ran.failed} failed:\n{ran.output}"
        return ran.output

    def client(self, service: str) -> Any:
        """Return a boto3 client as the sourced variables make it."""
        variables = dict(re.findall(r"^export (AWS_\w+)=(.*)$", self.activation.read_text(), re.M))
        session: Any = boto3.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=variables["AWS_REGION"],
        )
        return session.client(service, endpoint_url=variables["AWS_ENDPOINT_URL"])

    def output(self, stack: str, name: str) -> str:
        """Return an output of a stack."""
        (found,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return str(next(o["OutputValue"] for o in found["Outputs"] if o["OutputKey"] == name))

    def live(self, stage: str) -> str:
        """Return the digest of what takes a stage's traffic."""
        function = self.client("lambda").get_function(
            FunctionName=StageNames(stage).function, Qualifier="live"
        )
        return str(function["Code"]["ResolvedImageUri"].partition("@")[2])

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace the only occurrence of ``old`` in a file of the checkout."""
        text = (self.checkout / path).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
        (self.checkout / path).write_text(text.replace(old, new), encoding="utf-8")

    def change_stage(self, stage: str, **settings: object) -> None:
        """Change settings of a stage in ``cdk.json``."""
        path = self.checkout / "cdk.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        document["context"]["stages"][stage].update(settings)
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


@contextmanager
def practice_account(folder: Path, *, port: int = 0) -> Iterator[PracticeAccount]:
    """Run `python -m local --cloud` in a folder until Ctrl-C, which has to end it well."""
    with (folder / "terminal.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "--cloud", f"--port={port}"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                log.write(line)
                if READY.encode() in line:
                    break
            log.flush()
            assert process.poll() is None, (folder / "terminal.log").read_text()
            # Its output has to be read, or it would wait.
            rest = subprocess.Popen(["cat"], stdin=process.stdout, stdout=log)
            yield PracticeAccount(folder)
        finally:
            started = _below(process.pid)
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(timeout=60) == 0
            assert len(started) > 1
            assert [each for each in started if Path("/proc", str(each)).exists()] == []
            assert not (folder / ".local/cloud/activate").exists()
            process.stdout.close()
            rest.wait(timeout=60)


def commands(blocks: Iterable[str]) -> list[str]:
    """Return the commands of console blocks, in order; continued lines belong to one."""
    found: list[str] = []
    for block in blocks:
        is_continued = False
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(line.removeprefix("$ "))
            elif is_continued:
                found[-1] += f"\n{line}"
            is_continued = line.endswith("\\")
    return found


def section(page: Document, heading: str) -> Document:
    """Return a part of a page: from a heading such as ``## Title`` to the next of its level."""
    level = len(heading.partition(" ")[0])
    parts = re.split(rf"^(?=#{{1,{level}}} )", page.text, flags=re.MULTILINE)
    (text,) = [part for part in parts if part.startswith(f"{heading}\n")]
    return Document(f"{page.name}, {heading}", text)


def _or_say_so(command: str) -> str:
    shown = shlex.quote(command)
    return (
        f"printf '\\n$ %s\\n' {shown}\n"
        f"{{ {command}\n}} || {{ printf '\\n{_FAILED}%s\\n' {shown}; exit 1; }}"
    )


def _at_a_terminal(command: list[str], folder: Path) -> str:
    """Run a command at a terminal of its own, and return what it showed there."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**environment, "TERM": "dumb", "COLUMNS": "200"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = bytearray()
    answered = 0
    try:
        while piece := _piece(ours):
            shown += piece
            question = _QUESTION.search(bytes(shown[answered:]))
            if question and not select.select([ours], [], [], 0.5)[0]:
                os.write(ours, b"y\n")
                answered = len(shown)
    finally:
        os.close(ours)
        process.wait()
    return shown.decode("utf-8", "replace").replace("\r\n", "\n")


def _below(process: int) -> set[int]:
    """Return the ids of a process and of all that it has started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # It has ended meanwhile.
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = {process}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _piece(terminal: int) -> bytes:
    try:
        return os.read(terminal, _CHUNK)
    except OSError:  # Nobody has it open any more.
        return b""
