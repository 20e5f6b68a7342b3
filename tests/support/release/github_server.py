"""GitHub's REST API on this machine, as far as a workflow writes with it.

    with github_server() as github:
        github.push(checkout)
        github.pulls[1] = Pull(...)   # or github.open_pull("branch")
        run(..., env=github.environment)
        github.comments[1], github.pulls, github.files("branch")

What git stores is in a real repository, so objects that are not there are refused. So are a wrong
token and what ``permissions`` does not have, in GitHub's words. Documented at
https://docs.github.com/en/rest.
"""

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, PathConverter, Rule
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from local.background import in_background

REPOSITORY = "five-friends/rooms"
TOKEN = "ghs_ofNobody"
WORKFLOW = "github-actions[bot]"
MAX_CHARACTERS = 65_536
DOCUMENTATION = "https://docs.github.com/rest"
_WHO = ("AUTHOR", "COMMITTER")
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass
class Comment:
    id: int
    body: str
    login: str = WORKFLOW
    kind: str = "Bot"
    """Or ``User``."""


@dataclass
class Pull:
    number: int
    head: str
    base: str = "main"
    title: str = "A change"
    body: str | None = None
    state: str = "open"


class NoError(Exception):
    """GitHub says no."""

    def __init__(self, status: int, message: str, *errors: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.errors = list(errors)


@dataclass
class GithubServer:
    """The state, to be looked at and changed by a test."""

    url: str
    git: Path
    """The bare repository."""
    token: str = TOKEN
    login: str | None = None
    """Whose token it is; None: a workflow's, which is nobody's."""
    permissions: set[str] = field(default_factory=lambda: {"contents", "pull-requests"})
    """What the token may write. It may read everything."""
    may_open_pulls: bool = True
    """`Allow GitHub Actions to create and approve pull requests`."""
    comments: dict[int, list[Comment]] = field(default_factory=dict)
    """By the number of the pull request."""
    pulls: dict[int, Pull] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    """``METHOD PATH``, from the repository on."""
    failure: Response | None = None
    """What is answered to every request in place of the right answer."""

    @property
    def environment(self) -> dict[str, str]:
        """As GitHub Actions sets it."""
        return {
            "GITHUB_API_URL": self.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_TOKEN": self.token,
        }

    @property
    def writes(self) -> list[str]:
        """The requests that change something."""
        return [request for request in self.requests if not request.startswith("GET ")]

    def push(self, checkout: Path, branch: str = "main") -> None:
        """Push the last commit of a checkout."""
        _git(checkout, "push", "--quiet", "--force", str(self.git), f"HEAD:refs/heads/{branch}")

    def open_pull(self, branch: str = "work") -> int:
        """Open a pull request, and return its number."""
        number = len(self.pulls) + 1
        self.pulls[number] = Pull(number, branch)
        self.comments[number] = []
        return number

    def branches(self) -> dict[str, str]:
        """The commit of each branch."""
        listed = _git(self.git, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)")
        return dict(line.split() for line in listed.splitlines())

    def files(self, branch: str) -> dict[str, bytes]:
        """What is in a branch, by path."""
        return {
            path: _git_bytes(self.git, "cat-file", "blob", sha)
            for path, (_, sha) in self._entries(branch).items()
        }

    def modes(self, branch: str) -> dict[str, str]:
        """The mode of each file of a branch, such as 100755."""
        return {path: mode for path, (mode, _) in self._entries(branch).items()}

    def commits(self, branch: str) -> list[str]:
        """The commits of a branch, the newest first."""
        return _git(self.git, "rev-list", branch).split()

    def _entries(self, commit: str) -> dict[str, tuple[str, str]]:
        listed = _git(self.git, "ls-tree", "-r", "-z", commit)
        entries = [entry.partition("\t") for entry in listed.split("\0") if entry]
        return {path: (facts.split()[0], facts.split()[2]) for facts, _, path in entries}


@contextmanager
def github_server() -> Iterator[GithubServer]:
    """Serve an empty repository on a free port."""
    with tempfile.TemporaryDirectory(prefix="github-") as folder:
        git = Path(folder, "rooms.git")
        _git(Path(folder), "init", "--quiet", "--bare", str(git))
        state = GithubServer("", git)
        server = make_server(
            "127.0.0.1", 0, _Application(state), threaded=True, request_handler=_QuietHandler
        )
        state.url = f"http://127.0.0.1:{server.server_port}"
        with in_background(server, "github"):
            yield state


class _QuietHandler(WSGIRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        """Nobody reads it."""


class _Reference(PathConverter):
    """The name of a branch can have slashes."""


class _Application:
    def __init__(self, state: GithubServer) -> None:
        self._state = state
        self._api = _Api(state)
        routes: list[tuple[str, str, Callable[..., Any], str | None]] = [
            ("GET", "", self._api.repository, None),
            ("GET", "/pulls/<int:number>", self._api.pull, None),
            ("PATCH", "/pulls/<int:number>", self._api.edit_pull, "pull-requests"),
            ("GET", "/pulls", self._api.list_pulls, None),
            ("POST", "/pulls", self._api.create_pull, "pull-requests"),
            ("GET", "/issues/<int:number>/comments", self._api.list_comments, None),
            ("POST", "/issues/<int:number>/comments", self._api.create_comment, "pull-requests"),
            ("PATCH", "/issues/comments/<int:id>", self._api.edit_comment, "pull-requests"),
            ("POST", "/git/blobs", self._api.create_blob, "contents"),
            ("POST", "/git/trees", self._api.create_tree, "contents"),
            ("GET", "/git/commits/<sha>", self._api.commit, None),
            ("POST", "/git/commits", self._api.create_commit, "contents"),
            ("GET", "/git/ref/heads/<ref:name>", self._api.ref, None),
            ("POST", "/git/refs", self._api.create_ref, "contents"),
            ("PATCH", "/git/refs/heads/<ref:name>", self._api.edit_ref, "contents"),
        ]
        self._map = Map(
            [
                Rule("/user", methods=["GET"], endpoint=(self._api.user, None)),
                *(
                    Rule(f"/repos/{REPOSITORY}{path}", methods=[method], endpoint=(run, needs))
                    for method, path, run, needs in routes
                ),
            ],
            converters={"ref": _Reference},
        )

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        path = request.path.removeprefix(f"/repos/{REPOSITORY}")
        self._state.requests.append(f"{request.method} {path}")
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if self._state.failure:
            return self._state.failure
        try:
            run, values = self._route(request)
            return _json(201 if request.method == "POST" else 200, *run(request, **values))
        except NoError as no:
            return _json(
                no.status,
                {"message": str(no), "errors": no.errors, "documentation_url": DOCUMENTATION},
            )

    def _route(self, request: Request) -> tuple[Callable[..., Any], Mapping[str, Any]]:
        token = self._state.token
        if request.headers.get("Authorization") not in (f"token {token}", f"Bearer {token}"):
            raise NoError(401, "Bad credentials")
        try:
            (run, needs), values = self._map.bind("").match(request.path, request.method)
        except HTTPException:
            raise NoError(404, "Not Found") from None
        if needs and needs not in self._state.permissions:
            raise NoError(403, "Resource not accessible by integration")
        return run, values


class _Api:
    """What each route does: returns a document, and headers where it has some."""

    def __init__(self, state: GithubServer) -> None:
        self._state = state

    @property
    def _here(self) -> str:
        return f"{self._state.url}/repos/{REPOSITORY}"

    def user(self, _: Request) -> tuple[Any]:
        if self._state.login is None:
            raise NoError(403, "Resource not accessible by integration")
        return ({"login": self._state.login, "url": f"{self._state.url}/user"},)

    def repository(self, _: Request) -> tuple[Any]:
        owner, name = REPOSITORY.split("/")
        document = {"name": name, "full_name": REPOSITORY, "owner": {"login": owner}}
        return ({**document, "url": self._here, "default_branch": "main"},)

    # --- pull requests ---

    def pull(self, _: Request, number: int) -> tuple[Any]:
        return (self._pull(self._found(number)),)

    def list_pulls(self, request: Request) -> tuple[Any, Mapping[str, str]]:
        owner = REPOSITORY.partition("/")[0]
        found = [
            self._pull(pull)
            for pull in self._state.pulls.values()
            if pull.state == request.args.get("state", "open")
            and request.args.get("head") in (None, f"{owner}:{pull.head}")
            and request.args.get("base") in (None, pull.base)
        ]
        return self._page(request, found)

    def create_pull(self, request: Request) -> tuple[Any]:
        if not self._state.may_open_pulls:
            words = "GitHub Actions is not permitted to create or approve pull requests."
            raise NoError(403, words)
        asked = _asked(request, "title", "head", "base")
        branches = self._state.branches()
        for end in ("head", "base"):
            if asked[end] not in branches:
                raise _invalid("PullRequest", end)
        if branches[asked["head"]] in self._state.commits(asked["base"]):
            words = f"No commits between {asked['base']} and {asked['head']}"
            raise NoError(422, "Validation Failed", {"message": words})
        if any(p.head == asked["head"] and p.state == "open" for p in self._state.pulls.values()):
            words = f"A pull request already exists for {asked['head']}."
            raise NoError(422, "Validation Failed", {"message": words})
        _require_short(asked.get("body"))
        number = self._state.open_pull(asked["head"])
        pull = self._state.pulls[number]
        pull.title, pull.base, pull.body = asked["title"], asked["base"], asked.get("body")
        return (self._pull(pull),)

    def edit_pull(self, request: Request, number: int) -> tuple[Any]:
        pull, asked = self._found(number), _asked(request)
        if asked.get("base", pull.base) not in self._state.branches():
            raise _invalid("PullRequest", "base")
        _require_short(asked.get("body"))
        for name in ("title", "body", "base"):
            setattr(pull, name, asked.get(name, getattr(pull, name)))
        return (self._pull(pull),)

    def _found(self, number: int) -> Pull:
        if number not in self._state.pulls:
            raise NoError(404, "Not Found")
        return self._state.pulls[number]

    def _pull(self, pull: Pull) -> dict[str, Any]:
        return {
            "url": f"{self._here}/pulls/{pull.number}",
            "issue_url": f"{self._here}/issues/{pull.number}",
            "html_url": f"https://github.com/{REPOSITORY}/pull/{pull.number}",
            "number": pull.number,
            "state": pull.state,
            "title": pull.title,
            # GitHub has no empty texts.
            "body": pull.body or None,
            "head": {"ref": pull.head},
            "base": {"ref": pull.base},
        }

    # --- comments ---

    def list_comments(self, request: Request, number: int) -> tuple[Any, Mapping[str, str]]:
        self._found(number)
        listed = [self._comment(number, one) for one in self._state.comments[number]]
        return self._page(request, listed)

    def create_comment(self, request: Request, number: int) -> tuple[Any]:
        self._found(number)
        body = _asked(request, "body")["body"]
        _require_short(body)
        ids = [one.id for many in self._state.comments.values() for one in many]
        kind = "User" if self._state.login else "Bot"
        made = Comment(max(ids, default=0) + 1, body, self._state.login or WORKFLOW, kind)
        self._state.comments[number].append(made)
        return (self._comment(number, made),)

    def edit_comment(self, request: Request, id: int) -> tuple[Any]:  # noqa: A002  (GitHub's name)
        body = _asked(request, "body")["body"]
        _require_short(body)
        for number, many in self._state.comments.items():
            for one in many:
                if one.id == id:
                    one.body = body
                    return (self._comment(number, one),)
        raise NoError(404, "Not Found")

    def _comment(self, number: int, comment: Comment) -> dict[str, Any]:
        page = f"https://github.com/{REPOSITORY}/pull/{number}#issuecomment-{comment.id}"
        return {
            "url": f"{self._here}/issues/comments/{comment.id}",
            "html_url": page,
            "id": comment.id,
            "body": comment.body,
            "user": {"login": comment.login, "type": comment.kind},
        }

    def _page(self, request: Request, found: list[Any]) -> tuple[Any, Mapping[str, str]]:
        """https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api"""
        size = min(int(request.args.get("per_page", 30)), 100)
        page = int(request.args.get("page", 1))
        headers = {}
        if len(found) > page * size:
            query = urlencode({**request.args, "page": page + 1})
            headers["Link"] = f'<{request.base_url}?{query}>; rel="next"'
        return found[(page - 1) * size : page * size], headers

    # --- git ---

    def create_blob(self, request: Request) -> tuple[Any]:
        asked = _asked(request, "content")
        is_base64 = asked.get("encoding") == "base64"
        content = base64.b64decode(asked["content"]) if is_base64 else asked["content"].encode()
        sha = self._store(content, "hash-object", "-w", "--stdin")
        return ({"sha": sha, "url": f"{self._here}/git/blobs/{sha}"},)

    def create_tree(self, request: Request) -> tuple[Any]:
        asked = _asked(request, "tree")
        lines = []
        for entry in asked["tree"]:
            if entry["type"] != "blob" or entry["mode"] not in ("100644", "100755", "120000"):
                raise NoError(422, "tree.mode must be one of the known ones")
            if entry["sha"] is not None:
                self._require(entry["sha"], "blob")
            mode = entry["mode"] if entry["sha"] else "0"
            lines.append(f"{mode} {entry['sha'] or '0' * 40}\t{entry['path']}\0")
        base = asked.get("base_tree", _EMPTY_TREE)
        self._require(base, "tree")
        with tempfile.TemporaryDirectory(prefix="index-") as folder:
            index = {"GIT_INDEX_FILE": f"{folder}/index"}
            self._store(b"", "read-tree", base, env=index)
            self._store("".join(lines).encode(), "update-index", "-z", "--index-info", env=index)
            sha = self._store(b"", "write-tree", env=index)
        return ({"sha": sha, "url": f"{self._here}/git/trees/{sha}", "tree": []},)

    def commit(self, _: Request, sha: str) -> tuple[Any]:
        self._require(sha, "commit", status=404)
        return (self._commit(sha),)

    def create_commit(self, request: Request) -> tuple[Any]:
        asked = _asked(request, "message", "tree")
        self._require(asked["tree"], "tree")
        parents = []
        for parent in asked.get("parents", []):
            self._require(parent, "commit")
            parents += ["-p", parent]
        if "author" in asked or "committer" in asked:
            # It would take it, and not sign it.
            raise NoError(422, "this server wants commits that GitHub can sign")
        env = {f"GIT_{who}_{what}": WORKFLOW for who in _WHO for what in ("NAME", "EMAIL")}
        sha = self._store(
            asked["message"].encode(), "commit-tree", asked["tree"], *parents, env=env
        )
        return (self._commit(sha),)

    def ref(self, _: Request, name: str) -> tuple[Any]:
        if name not in self._state.branches():
            raise NoError(404, "Not Found")
        return (self._ref(name),)

    def create_ref(self, request: Request) -> tuple[Any]:
        asked = _asked(request, "ref", "sha")
        self._require(asked["sha"], "commit")
        name = asked["ref"].removeprefix("refs/heads/")
        if name in self._state.branches():
            raise NoError(422, "Reference already exists")
        _git(self._state.git, "update-ref", asked["ref"], asked["sha"])
        return (self._ref(name),)

    def edit_ref(self, request: Request, name: str) -> tuple[Any]:
        asked = _asked(request, "sha")
        self._require(asked["sha"], "commit")
        before = self._state.branches().get(name)
        if before is None:
            raise NoError(422, "Reference does not exist")
        if not asked.get("force") and before not in self._state.commits(asked["sha"]):
            raise NoError(422, "Update is not a fast forward")
        _git(self._state.git, "update-ref", f"refs/heads/{name}", asked["sha"])
        return (self._ref(name),)

    def _commit(self, sha: str) -> dict[str, Any]:
        tree, parents, message = _git(
            self._state.git, "show", "--no-patch", "--format=%T%n%P%n%B", sha
        ).split("\n", 2)
        trees = f"{self._here}/git/trees/{tree}"
        commits = f"{self._here}/git/commits"
        return {
            "sha": sha,
            "url": f"{commits}/{sha}",
            "message": message.strip(),
            "tree": {"sha": tree, "url": trees},
            "parents": [{"sha": one, "url": f"{commits}/{one}"} for one in parents.split()],
        }

    def _ref(self, name: str) -> dict[str, Any]:
        sha = self._state.branches()[name]
        return {
            "ref": f"refs/heads/{name}",
            "url": f"{self._here}/git/refs/heads/{name}",
            "object": {"type": "commit", "sha": sha, "url": f"{self._here}/git/commits/{sha}"},
        }

    def _require(self, sha: str, kind: str, status: int = 422) -> None:
        found = subprocess.run(
            ["git", "-C", str(self._state.git), "cat-file", "-t", sha],
            capture_output=True,
            text=True,
            check=False,
        )
        # Git knows the empty tree without having it.
        if found.stdout.strip() != kind and sha != _EMPTY_TREE:
            raise NoError(status, "Not Found" if status == 404 else f"{kind} does not exist")

    def _store(self, content: bytes, *command: str, env: Mapping[str, str] | None = None) -> str:
        return _git_bytes(self._state.git, *command, content=content, env=env).decode().strip()


def _asked(request: Request, *needed: str) -> dict[str, Any]:
    asked: dict[str, Any] = request.get_json()
    for name in needed:
        if not asked.get(name):
            raise _invalid("Request", name)
    return asked


def _require_short(body: str | None) -> None:
    if len(body or "") > MAX_CHARACTERS:
        words = f"body is too long (maximum is {MAX_CHARACTERS} characters)"
        raise NoError(422, "Validation Failed", {"message": words})


def _invalid(resource: str, name: str) -> NoError:
    detail = {"resource": resource, "field": name, "code": "invalid"}
    return NoError(422, "Validation Failed", detail)


def _json(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Response:
    content = json.dumps(document)
    return Response(content, status, dict(headers or {}), content_type="application/json")


def _git(folder: Path, *arguments: str) -> str:
    return _git_bytes(folder, *arguments).decode()


def _git_bytes(
    folder: Path, *arguments: str, content: bytes = b"", env: Mapping[str, str] | None = None
) -> bytes:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        input=content,
        capture_output=True,
        check=True,
        env={**os.environ, **(env or {})},
    ).stdout
