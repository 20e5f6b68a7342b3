"""What the function's own code says of itself; asked in a process."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

_SOURCE: Final = Path(__file__).parents[1] / "lambda_src"
ROOM_CODES: Final = 27**6
_TRIED: Final = 4
"""How many codes a create tries."""

_PROGRAM: Final = f"""
import json, sys
from rooms import tokens

prefix, count, wanted = json.load(sys.stdin)
seen, rivals = {{}}, []
for number in range(count):
    token = f"{{prefix}}{{number:032d}}"
    code = tokens.room_code(token, 0)
    if code in seen:
        rivals.append([seen.pop(code), token])
    else:
        seen[code] = token
everybody = wanted + [token for pair in rivals for token in pair]
codes = {{token: [tokens.room_code(token, n) for n in range({_TRIED})] for token in everybody}}
json.dump([rivals, codes], sys.stdout)
"""


def room_codes(
    wanted: Sequence[str], *, prefix: str, tried: int
) -> tuple[list[tuple[str, str]], dict[str, tuple[str, ...]]]:
    """Return pairs of tokens that want the same code first, and the codes of tokens in order.

    Such pairs are rare, a dozen in a hundred thousand: ``tried`` tokens that begin with ``prefix``
    are compared. The codes are those of the pairs and of the ``wanted`` tokens.
    """
    rivals, codes = _run(_PROGRAM, [prefix, tried, list(wanted)])
    return [(one, other) for one, other in rivals], {
        token: tuple(found) for token, found in codes.items()
    }


def longest_operation_s() -> float:
    """Return the longest time that the code promises for an operation, in seconds."""
    return float(_run("from rooms import service; print(service.LONGEST_OPERATION_S)", None))


def _run(program: str, given: object) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=_SOURCE,
        input=json.dumps(given),
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)
