"""Runs other tools on the broken images of the tests, and writes a table of their findings.

``make comparison`` writes it into docs/incident.md. Each tool gets what it can read: hadolint the
Dockerfile that would give such an image, container-structure-test the image with the assertions of
a careful author, skopeo the image, cfn-lint the function's template. Findings on every good image
are left out; findings on some of them count as false alarms.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from imagecheck.image.layer_cache import LayerCache
from imagecheck.rules import BY_ID
from tests.support.imagecheck.cases import (
    LOGICAL_ID,
    PINNED,
    Case,
    Written,
    check_case,
    findings_of,
)
from tests.support.imagecheck.corpus import CASES

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "incident.md"
BEGIN, END = "<!-- comparison -->\n", "<!-- /comparison -->"

Tool = Callable[[Written, Path], set[str]]
"""Runs a tool on an image, with a folder for its files. Returns its findings in short."""


def main() -> None:
    """Run all tools on all images, and write the table."""
    said: dict[str, dict[str, set[str]]] = defaultdict(dict)
    checked: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        cache = LayerCache(Path(name, "cache"))
        for number, case in enumerate(CASES, start=1):
            print(f"{number}/{len(CASES)} {case.name}", file=sys.stderr)
            folder = Path(name, case.name)
            folder.mkdir()
            written = case.write(folder)
            checked[case.name] = set(findings_of(check_case(case, written, cache)))
            for tool, ask in TOOLS.items():
                said[tool][case.name] = ask(written, folder)
            shutil.rmtree(folder)
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    table = _document(checked, _noticed(said))
    DOCUMENT.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")


def hadolint(written: Written, folder: Path) -> set[str]:
    """Return the rules that the Dockerfile breaks."""
    dockerfile = folder / "Dockerfile.asked"
    if written.dockerfile:
        dockerfile.write_text(written.dockerfile.read_text())
    else:
        dockerfile.write_text(_dockerfile(_config(written)))
    answer = _run("hadolint", "--format", "json", "--no-fail", str(dockerfile))
    return {finding["code"] for finding in json.loads(answer.stdout)}


def container_structure_test(written: Written, folder: Path) -> set[str]:
    """Return the assertions that fail for the image."""
    archive, tests = folder / "image.tar", folder / "structure.yaml"
    copied = _run(
        "skopeo", "copy", "--quiet", "--insecure-policy", _for_skopeo(written, folder),
        f"docker-archive:{archive}:image:latest",
    )  # fmt: skip
    if copied.returncode:
        return {"cannot be given it"}
    tests.write_text(json.dumps(_assertions(_config(written))))
    answer = _run(
        "container-structure-test", "test", "--driver", "tar", "--image", str(archive),
        "--config", str(tests), "--output", "json",
    )  # fmt: skip
    try:
        results = json.loads(answer.stdout)["Results"]
    except (ValueError, KeyError):
        return {"fails"}
    return {re.sub(r"^.*Test: ", "", result["Name"]) for result in results if not result["Pass"]}


def skopeo_inspect(written: Written, folder: Path) -> set[str]:
    """Return "cannot read it" where that is so; its other output is no finding."""
    answer = _run("skopeo", "inspect", _for_skopeo(written, folder))
    return {"cannot read it"} if answer.returncode else set()


def cfn_lint(written: Written, folder: Path) -> set[str]:
    """Return the rules that the template breaks."""
    template = written.template or folder / "asked.template.json"
    if not written.template:
        template.write_text(json.dumps(_template(written)))
    answer = _run("cfn-lint", "--format", "json", str(template))
    return {finding["Rule"]["Id"] for finding in json.loads(answer.stdout or "[]")}


TOOLS: Final[Mapping[str, Tool]] = {
    "hadolint": hadolint,
    "container-structure-test": container_structure_test,
    "skopeo inspect": skopeo_inspect,
    "cfn-lint": cfn_lint,
}


def _noticed(said: Mapping[str, Mapping[str, set[str]]]) -> dict[str, dict[str, set[str]]]:
    """Remove the findings of a tool that it has for every good image."""
    good = [case.name for case in CASES if case.is_good]
    noticed = {}
    for tool, by_case in said.items():
        always = set.intersection(*[by_case[name] for name in good])
        noticed[tool] = {name: answers - always for name, answers in by_case.items()}
    return noticed


def _document(
    checked: Mapping[str, set[str]], noticed: Mapping[str, Mapping[str, set[str]]]
) -> str:
    good = [case for case in CASES if case.is_good]
    broken = [case for case in CASES if not case.is_good]
    lines = [
        f"{len(broken)} images, each broken in one way on purpose, and {len(good)} good ones. Each"
        " tool was given what it can read; container-structure-test was told what a careful author"
        " would assert: entrypoint and handler exist, others may run the entrypoint, ENTRYPOINT,"
        " CMD and WORKDIR are as meant. A cell has the number of images that a tool says something"
        " of, and what; left out is what it says of every good image. `check` counts only where it"
        f" names this very rule. Written by `make comparison`: {_versions()}.",
        "",
        f"| rule | | images | check | {' | '.join(TOOLS)} |",
        f"|---|---|---|---|{'---|' * len(TOOLS)}",
    ]
    for rule, title in ((rule.id, rule.title) for rule in BY_ID.values()):
        cases = [case for case in broken if next(iter(case.findings)) == rule]
        named = sum(rule in checked[case.name] for case in cases)
        if cases:
            cells = " | ".join(_cell(cases, noticed[tool]) for tool in TOOLS)
            lines.append(f"| {rule} | {title} | {len(cases)} | {named} | {cells} |")
    named = sum(next(iter(case.findings)) in checked[case.name] for case in broken)
    counts = " | ".join(_count(broken, noticed[tool]) for tool in TOOLS)
    lines.append(f"| | **broken ones noticed** | {len(broken)} | {named} | {counts} |")
    alarms = " | ".join(_cell(good, noticed[tool]) for tool in TOOLS)
    named = sum(bool(checked[case.name]) for case in good)
    lines.append(f"| | **false alarms** | {len(good)} | {named or ''} | {alarms} |")
    return "\n".join(lines) + "\n"


def _cell(cases: Sequence[Case], noticed: Mapping[str, set[str]]) -> str:
    what = ", ".join(sorted(set().union(*(noticed[case.name] for case in cases))))
    return f"{_count(cases, noticed)} ({what})" if what else ""


def _count(cases: Sequence[Case], noticed: Mapping[str, set[str]]) -> str:
    return str(sum(bool(noticed[case.name]) for case in cases))


def _versions() -> str:
    commands = {
        "hadolint": ("hadolint", "--version"),
        "container-structure-test": ("container-structure-test", "version"),
        "skopeo": ("skopeo", "--version"),
        "cfn-lint": ("cfn-lint", "--version"),
    }
    found = []
    for name, command in commands.items():
        match = re.search(r"\d+\.\d+\.\d+", _run(*command).stdout)
        found.append(f"{name} {match[0] if match else 'of unknown version'}")
    return ", ".join(found)


def _for_skopeo(written: Written, folder: Path) -> str:
    """Lay the image out with manifests of any type: skopeo takes only OCI's from an OCI layout.

    https://github.com/containers/image/blob/main/docs/containers-transports.5.md
    """
    served = folder / "served"
    if not served.exists():
        served.mkdir()
        (served / "version").write_text("Directory Transport Version: 1.1\n")
        for blob in (written.image.folder / "blobs" / "sha256").iterdir():
            for name in (blob.name, f"{blob.name}.manifest.json"):
                (served / name).write_bytes(blob.read_bytes())
        root = served / written.image.digest.removeprefix("sha256:")
        if root.exists():
            root.rename(served / "manifest.json")
    return f"dir:{served}"


def _config(written: Written) -> Mapping[str, Any]:
    """Return the run configuration of an image; empty where it cannot be read."""
    try:
        manifest = json.loads(written.image.blob(written.image.digest).read_bytes())
        if "manifests" in manifest:
            child = manifest["manifests"][0]["digest"]
            manifest = json.loads(written.image.blob(child).read_bytes())
        digest = manifest["config"]["digest"]
        config: Mapping[str, Any] = json.loads(written.image.blob(digest).read_bytes())["config"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return config


def _dockerfile(config: Mapping[str, Any]) -> str:
    lines = [PINNED.strip()]
    if config.get("WorkingDir"):
        lines.append(f"WORKDIR {config['WorkingDir']}")
    lines += [f'ENV {item.replace("=", "=" + chr(34), 1)}"' for item in config.get("Env", [])]
    lines.append("COPY . /var/task/")
    for instruction, key in (("ENTRYPOINT", "Entrypoint"), ("CMD", "Cmd")):
        words = config.get(key)
        if words:
            shell = list(words[:2]) == ["/bin/sh", "-c"]
            lines.append(f"{instruction} {words[2] if shell else json.dumps(words)}")
    return "\n".join(lines) + "\n"


def _assertions(config: Mapping[str, Any]) -> dict[str, Any]:
    entrypoint: Sequence[str] = config.get("Entrypoint") or []
    command: Sequence[str] = config.get("Cmd") or []
    meant = command[2].split() if list(command[:2]) == ["/bin/sh", "-c"] else list(command)
    files = []
    if entrypoint:
        files.append({
            "name": "entrypoint",
            "path": entrypoint[0],
            "shouldExist": True,
            "isExecutableBy": "other",
        })  # fmt: skip
    if len(meant) == 1 and "." in meant[0]:
        module = meant[0].rpartition(".")[0]
        files.append({"name": "handler", "path": f"/var/task/{module}.py", "shouldExist": True})
    return {
        "schemaVersion": "2.0.0",
        "fileExistenceTests": files,
        "metadataTest": {
            "entrypoint": list(entrypoint),
            "cmd": meant,
            "workdir": config.get("WorkingDir") or "",
        },
    }


def _template(written: Written) -> dict[str, Any]:
    uri = f"123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/rooms@{written.image.digest}"
    properties = {
        "PackageType": "Image",
        "Code": {"ImageUri": uri},
        "Architectures": [written.function.architecture],
        "Role": "arn:aws:iam::123456789012:role/rooms",
    }
    resource = {"Type": "AWS::Lambda::Function", "Properties": properties}
    return {"Resources": {LOGICAL_ID: resource}}


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main()
