"""The document's request schemas allow what the code accepts, and nothing else that they can say.

What they cannot say is in ``EXCEPTIONS``.
"""

import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from typing import Any, Final

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.rooms import codes, names, payload, tokens
from lambda_src.rooms.characters import COMPOSING, FORBIDDEN, INVISIBLE, TRIMMED
from lambda_src.rooms.errors import RoomsError
from lambda_src.rooms.payload import TokenUse
from lambda_src.rooms.wire import CreateRoom, JoinRoom
from tests.lambda_src.rooms.test_names import CASES
from tests.support.rooms.code_cases import SAME_CODE
from tools import openapi

DOCUMENT: Final[dict[str, Any]] = json.loads(openapi.render())
Kind = type[CreateRoom] | type[JoinRoom]
FIELDS: Final[dict[Kind, str]] = {CreateRoom: "hostName", JoinRoom: "playerName"}
EITHER: Final = pytest.mark.parametrize("kind", FIELDS, ids=lambda kind: kind.__name__)

# Characters of every class, and those that NFC makes several.
STRANGE: Final = [*TRIMMED, *COMPOSING, *FORBIDDEN, *INVISIBLE, *"\u0958\u0344\u1f82\U0001d160"]
PLAIN: Final = [*"aがあ山 \u3099\U0001f600\U0001faff"]
CHARACTER: Final = st.sampled_from(STRANGE) | st.sampled_from(PLAIN) | st.characters()
EDGE: Final = st.text(TRIMMED, max_size=9)
TEXT: Final = st.text(CHARACTER, max_size=50) | st.tuples(
    EDGE, st.text(st.sampled_from(PLAIN), min_size=15, max_size=25), EDGE
).map("".join)
JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


def refusal(kind: Kind, body: object) -> str | None:
    """Return why the code refuses a body: a code, or the reason of the field; None if it does not.

    The body is as short as JSON can be.
    """
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        payload.read({"body": text}, token=TokenUse.OPTIONAL, body=kind)
    except RoomsError as error:
        return str((error.details or {}).get(FIELDS[kind], error.code.name))
    return None


def is_valid(kind: Kind, body: object) -> bool:
    schema = {"$ref": f"#/components/schemas/{kind.__name__}", "components": DOCUMENT["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    return bool(validator.is_valid(body))


def _nfc_counts(text: str, reason: str) -> bool:
    changed = unicodedata.normalize("NFC", text) != text
    return reason.endswith("20 characters or less") and (
        changed or re.search(f"[{COMPOSING}]", text) is not None
    )


EXCEPTIONS: Final[dict[str, Callable[[str, str], bool]]] = {
    "NFC makes a character several, or does not make one of two": _nfc_counts,
    "the whole body is too long": lambda _, reason: reason == "PAYLOAD_TOO_LARGE",
    "half a surrogate pair, which many dialects of patterns cannot say": (
        lambda text, reason: (
            reason == "INVALID_JSON" and re.search("[\ud800-\udfff]", text) is not None
        )
    ),
}
"""Valid in the document and refused all the same: whether a text with a reason is such a case."""


@EITHER
@given(text=TEXT)
def test_a_text_is_valid_if_it_is_accepted_and_only_then_but_for_the_exceptions(
    kind: Kind, text: str
) -> None:
    body = {FIELDS[kind]: text}
    reason = refusal(kind, body)
    if is_valid(kind, body) and reason is not None:
        assert any(is_one(text, reason) for is_one in EXCEPTIONS.values()), reason
    else:
        assert is_valid(kind, body) is (reason is None), reason


@pytest.mark.proof
@EITHER
@given(body=JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS.values(), JSON)))
def test_so_is_every_other_body(kind: Kind, body: Any) -> None:
    reason = refusal(kind, body)
    text = body.get(FIELDS[kind]) if isinstance(body, dict) else None
    if not (isinstance(text, str) and _nfc_counts(text, str(reason))):
        assert is_valid(kind, body) is (reason is None), reason


@EITHER
@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_so_is_each_case_of_the_table_that_api_and_page_share(
    kind: Kind, case: dict[str, Any]
) -> None:
    assert is_valid(kind, {FIELDS[kind]: case["typed"]}) is ("name" in case)


@pytest.mark.proof
def test_a_name_of_one_character_is_valid_if_it_is_accepted_and_only_then() -> None:
    schema = DOCUMENT["components"]["schemas"]["PlayerName"]
    text, visible = re.compile(schema["pattern"]), re.compile(schema["allOf"][0]["pattern"])
    for point in [*range(0xD800), *range(0xE000, sys.maxunicode + 1)]:
        character = chr(point)
        try:
            names.clean(character)
            is_accepted = True
        except ValueError:
            is_accepted = False
        valid = bool(text.search(character) and visible.search(character))
        assert valid is is_accepted, hex(point)


@EITHER
def test_the_longest_text_that_is_accepted_is_the_longest_that_is_valid(kind: Kind) -> None:
    name = FIELDS[kind]
    longest = DOCUMENT["components"]["schemas"][kind.__name__]["properties"][name]["maxLength"]
    assert is_valid(kind, {name: "a".rjust(longest)})
    assert refusal(kind, {name: "a".rjust(longest)}) is None
    assert not is_valid(kind, {name: "a".rjust(longest + 1)})
    assert refusal(kind, {name: "a".rjust(longest + 1)}) == "PAYLOAD_TOO_LARGE"


@EITHER
@pytest.mark.parametrize(
    ("text", "exception"),
    [
        ("\u0958" * 20, "NFC makes a character several, or does not make one of two"),
        ("a\u0301" * 20 + "\u0301", "NFC makes a character several, or does not make one of two"),
        ("\u3000" * 4000 + "a", "the whole body is too long"),
        ("a\ud800", "half a surrogate pair, which many dialects of patterns cannot say"),
    ],
)
def test_each_exception_is_one(kind: Kind, text: str, exception: str) -> None:
    body = {FIELDS[kind]: text}
    reason = refusal(kind, body)
    assert is_valid(kind, body)
    assert reason is not None
    assert EXCEPTIONS[exception](text, reason)


def test_a_validator_in_javascript_says_the_same_of_every_pattern() -> None:
    schema = DOCUMENT["components"]["schemas"]["PlayerName"]
    patterns = [schema["pattern"], schema["allOf"][0]["pattern"]]
    texts = [case["typed"] for case in CASES]
    texts += [
        f"{before}{one}{after}" for one in STRANGE for before, after in ("  ", "aa", ("", ""))
    ]
    texts += [" " * 4000 + "\0", "a" + " " * 4000 + "\0", "\u0301" * 4000 + "\0"]
    program = """
        const { patterns, texts } = JSON.parse(require("fs").readFileSync(0, "utf8"));
        const found = patterns.map((one) => texts.map((text) => new RegExp(one, "u").test(text)));
        console.log(JSON.stringify(found));
    """
    done = subprocess.run(
        ["node", "--eval", program],
        input=json.dumps({"patterns": patterns, "texts": texts}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [
        [re.search(pattern, text) is not None for text in texts] for pattern in patterns
    ]


def test_the_patterns_need_nothing_that_only_some_dialects_have() -> None:
    schema = DOCUMENT["components"]["schemas"]["PlayerName"]
    for pattern in (schema["pattern"], schema["allOf"][0]["pattern"]):
        assert "\\" not in pattern
        assert set(re.findall(r"\(\?.", pattern)) <= {"(?:"}


def test_every_typed_form_of_a_code_is_a_valid_path_parameter() -> None:
    """Any other text is valid, too, and names no room: 404, not 400."""
    operations = [operation for path in DOCUMENT["paths"].values() for operation in path.values()]
    parameters = [
        parameter
        for operation in operations
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "path"
    ]
    assert len(parameters) == 3
    for parameter in parameters:
        for typed in SAME_CODE:
            jsonschema.validate(typed, parameter["schema"])
        assert codes.PATTERN in parameter["description"]


def test_the_form_of_a_token_is_told_where_a_header_has_no_schema() -> None:
    scheme = DOCUMENT["components"]["securitySchemes"]["playerToken"]
    assert tokens.PATTERN in scheme["description"]
