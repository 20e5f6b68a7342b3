"""``python -m tools.lighthouse``: run Lighthouse on the page, as it is deployed on this machine."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from local.system import running_system
from tests.support.browser import chromium
from tests.support.cdk_context import ROOT

_CATEGORIES: Final = ("accessibility", "best-practices")


def main() -> int:
    """Score the first screen on a phone; exit status 1 for any score below 100.

    ``tests/e2e/test_quality.py`` tests the weight of the page.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        running_system(port=0, work_folder=Path(folder) / "system") as system,
    ):
        report = _lighthouse(system.url, Path(folder) / "report.json")
    scores = {name: round(100 * report["categories"][name]["score"]) for name in _CATEGORIES}
    for name, score in scores.items():
        print(f"{name:15} {score:6}")
    failed = [
        f"{audit['id']}: {audit['title']}"
        for name in _CATEGORIES
        for reference in report["categories"][name]["auditRefs"]
        if reference["weight"]
        and (audit := report["audits"][reference["id"]])["score"] not in {None, 1}
    ]
    if failed:
        print(*failed, sep="\n")
    return int({*scores.values()} != {100})


def _lighthouse(url: str, report: Path) -> Any:
    subprocess.run(
        [
            ROOT / "tests/node_modules/.bin/lighthouse",
            url,
            "--quiet",
            "--output=json",
            f"--output-path={report}",
            f"--only-categories={','.join(_CATEGORIES)}",
            "--chrome-flags=--headless --no-sandbox --disable-gpu --disable-quic",
        ],
        env={
            **os.environ,
            "CHROME_PATH": chromium(),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        check=True,
    )
    return json.loads(report.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
