"""JSON as Node reads it, without the comments that many tools allow."""

import json
from typing import NoReturn


def json_fault(text: bytes) -> str:
    """Return what is wrong with the text of a .json file that is loaded; empty for nothing."""
    try:
        content = text.decode("utf-8", "replace").removeprefix("\ufeff")
        # The numbers themselves do not matter, and Python reads none of thousands of digits.
        json.loads(content, parse_int=str, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return f"{error.msg.lower()} in line {error.lineno}"
    except ValueError as error:
        return str(error)
    except RecursionError:
        return ""
    return ""


def _refuse(word: str) -> NoReturn:
    message = f"it has {word}"
    raise ValueError(message)
