"""The waits that are reckoned with are those of the page's own scripts."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.scale.page import ATTEMPTS, JITTER, STALE_S, back_off_s, interval_s, jittered

ASSETS = Path("frontend/assets").absolute()
QUIET = (0, 1, 59.999, 60, 100, 299.999, 300, 5000)
SCRIPT = """
const {{ interval }} = await import("{assets}/watch.js");
const {{ backOff, jittered }} = await import("{assets}/waiting.js");
const chances = [0, 0.5, 0.999];
let chance = 0.5;
Math.random = () => chance;
console.log(JSON.stringify({{
  shown: {quiet}.map((quiet) => interval(quiet * 1000, false)),
  hidden: {quiet}.map((quiet) => interval(quiet * 1000, true)),
  backOff: [0, 1, 2, 3, 4, 5, 6, 20].map((failures) => backOff(failures, 0)),
  jittered: chances.map((next) => {{ chance = next; return jittered(1000); }}),
}}));
"""


def _page() -> Any:
    node = shutil.which("node")
    assert node
    script = SCRIPT.format(assets=ASSETS.as_uri(), quiet=list(QUIET))
    ran = subprocess.run(
        [node, "--input-type=module", "--eval", script],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return json.loads(ran.stdout)


def test_waits_are_those_of_the_page() -> None:
    page = _page()

    assert page["shown"] == [1000 * interval_s(quiet) for quiet in QUIET]
    assert page["hidden"] == [1000 * interval_s(quiet, is_hidden=True) for quiet in QUIET]
    assert page["backOff"] == [1000 * back_off_s(n) for n in (0, 1, 2, 3, 4, 5, 6, 20)]
    expected = [1000 * jittered(1, chance) for chance in (0, 0.5, 0.999)]
    assert [round(wait, 6) for wait in page["jittered"]] == [round(one, 6) for one in expected]


def test_attempts_and_the_wait_after_an_old_answer_are_those_of_the_page() -> None:
    assert f"const ATTEMPTS = {ATTEMPTS};" in (ASSETS / "persist.js").read_text("utf-8")
    assert f"const JITTER = {JITTER};" in (ASSETS / "waiting.js").read_text("utf-8")
    stale = re.search(
        r"isOlder\(.*\)\) return jittered\(SECOND\)", (ASSETS / "watch.js").read_text()
    )
    assert stale
    assert STALE_S == 1
