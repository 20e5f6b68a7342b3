"""The page's modules in a real browser, as they stand in the repository."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.support.cdk_context import ROOT

ORIGIN = "http://page.test"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty document at ORIGIN, from where modules can be imported."""
    page = browser.new_page()
    page.route(f"{ORIGIN}/**", _from_repository)
    page.goto(f"{ORIGIN}/")
    yield page
    page.close()


def _from_repository(route: Route) -> None:
    path = route.request.url.removeprefix(f"{ORIGIN}/")
    if not path:
        route.fulfill(body="<!doctype html><title>empty</title>", content_type="text/html")
    else:
        file = ROOT / "frontend" / path
        route.fulfill(body=file.read_bytes(), content_type="text/javascript")
