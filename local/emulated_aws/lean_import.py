"""Imports moto without what the account never has.

moto reads the Regions and all instance types of EC2 when it is imported, which takes half of that
time. No stack of ours has a machine. The module is imported before any other of moto's.
"""

from typing import Any

import boto3
from moto.utilities import utils

from local.emulated_aws.patching import Patch, patched

_load_resource = utils.load_resource


def _load_less(name: str) -> Any:
    return {} if name.startswith("ec2/resources/instance_type") else _load_resource(name)


with patched(
    (
        Patch(utils, "load_resource", _load_less),
        Patch(boto3.Session, "get_available_regions", lambda *_, **__: []),
    )
):
    import moto.ec2.models  # noqa: F401
