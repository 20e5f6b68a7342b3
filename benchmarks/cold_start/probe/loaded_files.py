"""A handler that lets another one answer, and answers what was loaded up to then.

It is put on the search path of a function. ``PROBED`` names the other handler.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from typing import Any

_opened: set[str] = set()


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str):
        _opened.add(os.path.abspath(arguments[0]))


sys.addaudithook(_note)
_module, _, _name = os.environ["PROBED"].rpartition(".")
_handler = getattr(importlib.import_module(_module), _name)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one HTTP request with how many modules were loaded, and which files with their sizes.

    A module counts with its bytecode, a library with its whole file, and so does other data. The
    interpreter itself, which may or may not have its library apart, is left out.
    """
    answer = _handler(event, context)
    modules = {name: module for name, module in sys.modules.items() if name != __name__}
    with open("/proc/self/maps", encoding="utf-8") as maps:
        mapped = set(re.findall(r" (/.+)$", maps.read(), re.MULTILINE))
    # What was imported before the hook was there.
    imported = {getattr(module, "__cached__", None) or "" for module in modules.values()}
    interpreter = os.path.realpath(sys.executable)
    sizes = {
        path: os.path.getsize(path)
        for path in _opened | mapped | imported
        if os.path.isfile(path)
        and not path.startswith(("/dev/", "/proc/", "/sys/"))
        and path != interpreter
        and "/libpython" not in path
    }
    return {**answer, "body": json.dumps({"modules": len(modules), "sizes": sizes})}
