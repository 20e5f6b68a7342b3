"""The READMEs say of the API what the route table says, and both say the same."""

import re
from pathlib import PurePosixPath

import pytest

from lambda_src.rooms.payload import TokenUse
from lambda_src.rooms.routes import COMMON_ERRORS, ROUTES, Route
from tests.support.documents import Document, document, documents, tracked

READMES = [document("README.md"), document("README.ja.md")]
ENGLISH, JAPANESE = READMES


def of_table(page: Document, first_cell: str) -> list[str] | None:
    """The other cells of the row that begins with this one."""
    row = re.search(rf"^\| {re.escape(first_cell)} \|(.*)\|$", page.text, re.MULTILINE)
    return [cell.strip() for cell in row[1].split("|")] if row else None


def codes_of(text: str) -> dict[str, int]:
    """The error codes of a text, each with the status before it: ``400 `A`, `B`; 404 `C` ``."""
    return {
        code: int(status)
        for status, codes in re.findall(r"(\d{3}) ((?:`[A-Z_]+`(?:, |、)?)+)", text)
        for code in re.findall(r"`([A-Z_]+)`", codes)
    }


def fields(kind: type | None) -> list[str]:
    return list(getattr(kind, "__struct_encode_fields__", ()))


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
def test_a_route_is_in_the_table(route: Route, page: Document) -> None:
    cells = of_table(page, f"`{route.key}`")
    assert cells
    request, response, refusals = cells

    assert re.findall(r"`(\w+)`", request) == fields(route.request)
    assert bool(request) == bool(route.request or route.token is TokenUse.REQUIRED)
    assert re.findall(r"`(\w+)`", response) == fields(route.response)
    assert codes_of(refusals) == {code.name: code.status for code in route.errors}


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_table_has_no_other_route_and_names_what_every_route_answers(page: Document) -> None:
    routes = re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) [^`]+)`", page.text, re.MULTILINE)

    assert sorted(routes) == sorted(route.key for route in ROUTES)
    common = {code.name: code.status for code in COMMON_ERRORS}
    assert common.items() <= codes_of(page.text).items()


def test_both_languages_have_the_same_commands_and_pictures() -> None:
    assert ENGLISH.blocks("console") == JAPANESE.blocks("console")
    assert ENGLISH.blocks("json") == JAPANESE.blocks("json")
    pictures = [
        sorted(link for link in page.links() if link.endswith((".png", ".svg"))) for page in READMES
    ]
    assert pictures[0] == pictures[1]
    assert len(list(ENGLISH.headings())) == len(list(JAPANESE.headings()))


def test_every_picture_that_is_kept_is_shown() -> None:
    shown = {
        str(PurePosixPath(page.name).parent / link) for page in documents() for link in page.links()
    }
    kept = [name for name in tracked() if re.fullmatch(r"docs/(screenshots|pictures)/.+", name)]

    assert set(kept) <= shown


def test_every_room_of_the_house_is_in_the_layout() -> None:
    rooms = {name.partition("/")[0] for name in tracked() if "/" in name}
    ours = {name for name in rooms if not name.startswith(".")}
    assert len(ours) > 10
    for page in READMES:
        assert {name for name in ours if f"`{name}/`" not in page.text} == set()
