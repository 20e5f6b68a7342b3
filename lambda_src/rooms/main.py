"""The entry point of the function: ``rooms.main.handler``.

The client is made and connected while the environment starts, which Lambda does at full CPU speed;
a missing variable fails there, where the deployment sees it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .client import Entrance
from .dynamodb import DynamoDb
from .endpoint import credentials, endpoint
from .guesses import GuessLimit
from .router import dispatch
from .service import Rooms
from .store import RoomStore
from .transport import Transport

if TYPE_CHECKING:
    from .payload import Event

_client = DynamoDb(
    Transport(
        endpoint(os.environ),
        credentials(os.environ),
        ca_bundle=os.environ.get("AWS_CA_BUNDLE"),
    )
)
_table = os.environ["ROOMS_TABLE"]
_store = RoomStore(_client, _table)
_store.connect()
_rooms = Rooms(_store)
# Its own secret, and while it changes the one before; none where no distribution is in front.
_keys = tuple(filter(None, os.environ.get("DISTRIBUTION_KEYS", "").split(",")))
_entrance = Entrance(
    keys=_keys, only_through_page=os.environ.get("ONLY_THROUGH_PAGE", "false") == "true"
)
_guesses = GuessLimit(_client, _table, key=_keys[0] if _keys else "")
# Lambda sets it: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")


def handler(event: Event, _context: object) -> dict[str, Any]:
    """Answer one HTTP request."""
    return dispatch(event, _rooms, version=_version, entrance=_entrance, guesses=_guesses)
