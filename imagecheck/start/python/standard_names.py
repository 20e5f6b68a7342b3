"""Names of the standard library that came or went with a version, and that many import.

From "What's new in Python 3.8" to "3.14": https://docs.python.org/3/whatsnew/.
"""

from typing import Final

_GONE: Final = {
    "asyncio": {11: "coroutine"},
    "collections": {
        10: "Mapping MutableMapping Sequence MutableSequence Set MutableSet Iterable Iterator"
        " Callable Hashable Sized Container Generator KeysView ValuesView ItemsView"
        " MappingView Awaitable Coroutine AsyncIterable AsyncIterator ByteString"
    },
    "cgi": {8: "escape parse_qs parse_qsl"},
    "fractions": {9: "gcd"},
    "inspect": {11: "getargspec formatargspec"},
    "platform": {8: "linux_distribution dist"},
    "time": {8: "clock"},
    "unittest": {13: "makeSuite findTestCases"},
    "html.parser": {5: "HTMLParseError"},
    "typing": {13: "re io"},
    "pkgutil": {14: "ImpImporter find_loader get_loader"},
    "ast": {14: "Num Str Bytes NameConstant Ellipsis"},
}
_NEW: Final = {
    "asyncio": {9: "to_thread", 11: "TaskGroup timeout Runner Barrier"},
    "contextlib": {10: "aclosing", 11: "chdir"},
    "dataclasses": {10: "KW_ONLY"},
    "datetime": {11: "UTC"},
    "enum": {11: "StrEnum ReprEnum EnumCheck verify member nonmember property"},
    "functools": {8: "cached_property singledispatchmethod", 9: "cache"},
    "hashlib": {11: "file_digest"},
    "itertools": {10: "pairwise", 12: "batched"},
    "types": {10: "NoneType UnionType EllipsisType NotImplementedType"},
    "typing": {
        9: "Annotated",
        10: "Concatenate ParamSpec ParamSpecArgs ParamSpecKwargs TypeAlias TypeGuard is_typeddict",
        11: (
            "LiteralString Never NotRequired Required Self TypeVarTuple Unpack assert_never"
            " assert_type clear_overloads dataclass_transform get_overloads reveal_type"
        ),
        12: "TypeAliasType override",
        13: "NoDefault ReadOnly TypeIs get_protocol_members is_protocol",
    },
    "warnings": {13: "deprecated"},
}


def _by_name(table: dict[str, dict[int, str]]) -> dict[tuple[str, str], int]:
    return {
        (module, name): minor
        for module, versions in table.items()
        for minor, names in versions.items()
        for name in names.split()
    }


_GONE_SINCE: Final = _by_name(_GONE)
_NEW_SINCE: Final = _by_name(_NEW)


def why_not(module: str, name: str, minor: int | None) -> str:
    """Say why Python 3.``minor`` has no such name in a module of its library; empty if it may."""
    if minor is None:
        return ""
    if minor >= _GONE_SINCE.get((module, name), minor + 1):
        return f"Python 3.{_GONE_SINCE[module, name]} no longer has it"
    if minor < _NEW_SINCE.get((module, name), 0):
        return f"it came with Python 3.{_NEW_SINCE[module, name]}"
    return ""
