"""JSON that Python and Node read alike."""

import json

import pytest

from release.pipeline.changes.sources import UnreadableError
from release.pipeline.changes.strict_json import read_object


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def test_an_object_is_read() -> None:
    document = {"a": [1, -2.5, True, None, "ü\\"], "b": {}, "large": 2**53}
    assert read_object(json.dumps(document).encode()) == document
    assert read_object(nested(50))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not valid JSON"),
        (b"secret", "not valid JSON"),
        (b'{"secret": 1', "not valid JSON"),
        (b"[1]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"secret": "\xff"}', "UTF-8"),
        (b'{"secret": "\\ud800"}', "UTF-8"),
        (b'{"\\ud800": "secret"}', "UTF-8"),
        (b'{"secret": 1, "secret": 2}', "the same key twice"),
        (b'{"a": [{"__proto__": {"secret": 1}}]}', "every JavaScript object"),
        (b'{"constructor": "secret"}', "every JavaScript object"),
        (b'{"\\u005f_proto__": 1}', "every JavaScript object"),
        (b'{"a": NaN}', "number"),
        (b'{"a": -Infinity}', "number"),
        (b'{"a": 1e999}', "number"),
        (b'{"a": 9007199254740993}', "number"),
        (b'{"a": ' + b"1" * 5000 + b"}", "number"),
        (nested(100), "nested"),
        (nested(100_000), "nested"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(UnreadableError, match=why) as refused:
        read_object(content)
    assert "secret" not in str(refused.value)
