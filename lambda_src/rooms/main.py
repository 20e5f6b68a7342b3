"""The entry point of the function: ``rooms.main.handler``.

The client is made while the environment starts, which Lambda does at full CPU speed; a missing
variable fails there, where the deployment sees it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from .dynamodb import CLIENT_CONFIG
from .router import dispatch
from .service import Rooms
from .store import RoomStore

if TYPE_CHECKING:
    from .payload import Event

_rooms = Rooms(
    RoomStore(boto3.client("dynamodb", config=Config(**CLIENT_CONFIG)), os.environ["ROOMS_TABLE"])
)
# Lambda sets it: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")


def handler(event: Event, _context: object) -> dict[str, Any]:
    """Answer one HTTP request."""
    return dispatch(event, _rooms, version=_version)
