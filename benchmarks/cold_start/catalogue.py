"""Who is measured, and how each is started."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.document import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.cold_start.installation import Installation


class Kind(Enum):
    """What a row of the tables is."""

    OURS = "ours"
    PEER = "peer"
    CANDIDATE = "candidate"
    """A way for the function's own client that was tried."""
    FLOOR = "floor"


class Runtime(Enum):
    """What a function is started with."""

    PYTHON = "Python"
    NODE = "Node"


class Trust(Enum):
    """Which certificate authorities a function loads."""

    ALL = "all"
    AMAZON = "Amazon's"
    NODES = "those of Node"


class Event(Enum):
    """What a function is invoked with."""

    HTTP_API = "payload format 2.0"
    REST_API = "payload format 1.0"
    DIRECT = "payload format 2.0, from who may invoke the function itself"


class Peer(NamedTuple):
    """A function.

    ``has_framework``: it needs more than AWS's base image brings. ``own_code`` are the files that
    stand in the place of an SDK, relative to the repository; of ours, the modules that they import
    belong to it.
    """

    name: str
    title: str
    kind: Kind
    handler: str
    runtime: Runtime = Runtime.PYTHON
    trust: Trust = Trust.ALL
    event: Event = Event.HTTP_API
    has_framework: bool = False
    own_code: tuple[str, ...] = ()


YARDSTICK: Final = "bare-boto3"
OURS: Final = "ours"
EARLY: Final = "early-boto3"
UNCOUNTED: Final = "ours-uncounted"
FLOOR: Final = "nothing"
_PEERS: Final = "benchmarks/cold_start/peers"
_NOT_CLIENT: Final = frozenset({"errors"})
"""What the function answers its own clients."""
_CLIENT: Final = ("lambda_src/rooms/dynamodb.py",)
_KEPT: Final = f"{_PEERS}/kept_connection.py"

PEERS: Final = (
    Peer(YARDSTICK, "bare boto3", Kind.PEER, "peers.bare_boto3.handler"),
    Peer(
        "powertools",
        "Powertools and boto3",
        Kind.PEER,
        "peers.powertools.handler",
        has_framework=True,
    ),
    Peer(
        "fastapi",
        "FastAPI, Mangum and boto3",
        Kind.PEER,
        "peers.fastapi_mangum.handler",
        has_framework=True,
    ),
    Peer(
        "chalice",
        "Chalice and boto3",
        Kind.PEER,
        "peers.chalice_app.handler",
        event=Event.REST_API,
        has_framework=True,
    ),
    Peer(
        "node",
        "Node 22 and AWS SDK 3, bundled",
        Kind.PEER,
        "index.handler",
        runtime=Runtime.NODE,
        trust=Trust.NODES,
    ),
    Peer(
        OURS,
        "**ours**",
        Kind.OURS,
        "rooms.main.handler",
        trust=Trust.AMAZON,
        own_code=_CLIENT,
    ),
    Peer(
        UNCOUNTED,
        "ours, without counting tries",
        Kind.OURS,
        "rooms.main.handler",
        trust=Trust.AMAZON,
        event=Event.DIRECT,
        own_code=_CLIENT,
    ),
    Peer(
        EARLY,
        "boto3, reads an item while it starts",
        Kind.CANDIDATE,
        "peers.early_boto3.handler",
    ),
    Peer(
        "tuned-boto3",
        "boto3 without validation, five authorities",
        Kind.CANDIDATE,
        "peers.tuned_boto3.handler",
        trust=Trust.AMAZON,
    ),
    Peer(
        "botocore-signer",
        "botocore's signer over http.client",
        Kind.CANDIDATE,
        "peers.botocore_signer.handler",
        trust=Trust.AMAZON,
        own_code=(_KEPT, f"{_PEERS}/botocore_signer.py"),
    ),
    Peer(
        "aws-signer",
        "aws-sdk-signers over http.client",
        Kind.CANDIDATE,
        "peers.aws_signer.handler",
        trust=Trust.AMAZON,
        own_code=(_KEPT, f"{_PEERS}/aws_signer.py"),
    ),
    Peer(
        "own-signer",
        "own signer over http.client",
        Kind.CANDIDATE,
        "peers.own_signer.handler",
        trust=Trust.AMAZON,
        own_code=(_KEPT, f"{_PEERS}/own_signer.py"),
    ),
    Peer(FLOOR, "a handler that does nothing", Kind.FLOOR, "peers.nothing.handler"),
)


def available(version: tuple[int, int]) -> list[Peer]:
    """Return those that there are for a version of Python."""
    # aws-sdk-signers needs 3.12.
    return [peer for peer in PEERS if peer.name != "aws-signer" or version >= (3, 12)]


def task_root(peer: Peer, installed: Installation) -> Path:
    """Return the folder with a function's code."""
    if peer.runtime is Runtime.NODE:
        return installed.node_bundle
    return installed.rooms if peer.kind is Kind.OURS else installed.peers


def command(peer: Peer, installed: Installation) -> list[str]:
    """Return what starts a function: its runtime client, as Lambda starts it."""
    if peer.runtime is Runtime.NODE:
        client = ["--require", str(installed.node_native_part), str(installed.node_client)]
        return [str(installed.node), *client, peer.handler]
    python = installed.framework_python if peer.has_framework else installed.python
    return [str(python), "-m", "awslambdaric", peer.handler]


def own_code(peer: Peer) -> list[Path]:
    """Return the files of a function's own client."""
    files = [ROOT / name for name in peer.own_code]
    return _with_imported(files) if peer.kind is Kind.OURS else files


def _with_imported(files: list[Path]) -> list[Path]:
    """Add the modules that modules import from their own package, and those that these import."""
    found = list(files)
    for file in found:  # it grows
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        names = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level}
        imported = [file.with_name(f"{name}.py") for name in sorted(filter(None, names))]
        found += [one for one in imported if one.stem not in _NOT_CLIENT and one not in found]
    return found
