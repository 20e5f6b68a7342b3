"""Lambda's API, as far as it says which image each version of a function runs."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.imagecheck.http_server import Answer, Request, serving

PAGE = 2


@dataclass
class EmulatedFunction:
    """Versions by name, each with the URI of its image; None: it is a zip."""

    name: str
    versions: dict[str, str | None] = field(default_factory=dict)
    live: str | None = None
    weights: Mapping[str, float] | None = None
    denied: bool = False

    def __call__(self, request: Request) -> Answer:
        url = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if self.denied:
            return _error(403, "AccessDeniedException")
        match url.path.removeprefix("/2015-03-31/functions/").split("/"):
            case [self.name, "versions"] if self.versions:
                return self._page(int(query.get("Marker", "0")))
            case [self.name, "aliases", "live"] if self.live:
                routing = {"AdditionalVersionWeights": self.weights} if self.weights else None
                alias = {"FunctionVersion": self.live, "RoutingConfig": routing}
                return Answer(body=json.dumps(alias).encode())
            case [self.name] if query["Qualifier"] in self.versions:
                uri = self.versions[query["Qualifier"]]
                code = {"ImageUri": uri, "ResolvedImageUri": uri} if uri else {}
                return Answer(body=json.dumps({"Code": code}).encode())
        return _error(404, "ResourceNotFoundException")

    def _page(self, start: int) -> Answer:
        names = list(self.versions)
        versions = [{"Version": name} for name in names[start : start + PAGE]]
        more = {"NextMarker": str(start + PAGE)} if start + PAGE < len(names) else {}
        return Answer(body=json.dumps({"Versions": versions, **more}).encode())


@contextmanager
def emulated_lambda(
    function: EmulatedFunction, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EmulatedFunction]:
    """Let boto3 ask it."""
    with serving(function) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", server.url)
        yield function


def _error(status: int, type_: str) -> Answer:
    return Answer(status, {"x-amzn-errortype": type_}, b'{"message": "a secret"}')
