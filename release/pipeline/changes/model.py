"""A change as data: the comment is written from it, and ``changes --json`` prints it."""

from typing import Literal

import msgspec

from config.image_lock import ImagePin

ChangeKind = Literal["replaced", "may be replaced", "removed", "left behind", "changed", "added"]
"""What becomes of a resource. What is left behind stays, and CloudFormation forgets it."""

KINDS: tuple[ChangeKind, ...] = (
    "replaced",
    "may be replaced",
    "removed",
    "left behind",
    "changed",
    "added",
)
"""The worst first."""


class ValueChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A value at a path in a resource, such as ``KeySchema[0].AttributeName``.

    ``old`` and ``new`` are JSON, or None where nothing is there. Both are the same where only what
    they refer to is replaced. ``replaces`` says whether this is what replaces the resource, or may.
    """

    path: str
    old: str | None
    new: str | None
    replaces: bool = False


class ResourceChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What becomes of a resource. ``new_type`` is None, but where the type itself changes."""

    logical_id: str
    type: str
    new_type: str | None = None
    kind: ChangeKind
    values: tuple[ValueChange, ...] = ()


class PermissionChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A permission that is there on one side only: who may do what, on what.

    ``wider`` says whether more is allowed by this change than before, or may be. A guard is a
    property, named by ``what``, that forbids something and changes.
    """

    added: bool
    wider: bool
    sort: Literal[
        "statement",
        "managed policy",
        "inbound rule",
        "outbound rule",
        "guard",
        "IAM Identity Center",
    ]
    effect: str = ""
    who: tuple[str, ...] = ()
    what: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    condition: str = ""


class KeptLess(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A property by which a resource that stays keeps less of its data than before.

    ``old`` and ``new`` are JSON, or None where nothing is there. ``loses``: what is stored is
    deleted by it, or cannot be read; otherwise it is less protected. ``means`` says how.
    """

    path: str
    old: str | None
    new: str | None
    means: str
    loses: bool


class DataLossRisk(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that cannot be made again: ``lost`` names it, ``kept_by`` what keeps it anyway.

    ``unprotected`` and ``loses data`` are a resource that stays. It loses the protections that
    ``lost_protections`` names, and keeps less by each of ``kept_less``. ``fixed_name`` says that
    CloudFormation will refuse to replace it. ``name`` is the one that the template gave it, and
    ``empty_one`` the resource that begins empty in its place, by its name or logical id.
    """

    logical_id: str
    type: str
    kind: Literal[
        "replaced", "may be replaced", "removed", "left behind", "unprotected", "loses data"
    ]
    lost: str
    kept_by: str | None = None
    lost_protections: tuple[str, ...] = ()
    kept_less: tuple[KeptLess, ...] = ()
    fixed_name: bool = False
    name: str | None = None
    empty_one: str | None = None


class StageStackChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What becomes of one stage's stack.

    ``others`` are the values of its template that differ beside the resources, such as outputs.
    ``why`` is there where it cannot be compared.
    """

    stack: str
    stage: str
    status: Literal["same", "changed", "added", "removed", "cannot be compared"]
    why: str | None = None
    dangers: tuple[DataLossRisk, ...] = ()
    permissions: tuple[PermissionChange, ...] = ()
    resources: tuple[ResourceChange, ...] = ()
    others: tuple[ValueChange, ...] = ()


class ImageChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What becomes of a stage's pin. ``promoted_from`` is a stage that had the new image before."""

    stage: str
    old: ImagePin | None
    new: ImagePin | None
    promoted_from: str | None = None


class Changes(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a change does to everything that is deployed.

    ``lock_unreadable`` says why the lock file cannot be read, and ``odd_names`` how many snapshots
    have a name that says no stack.
    """

    stacks: tuple[StageStackChange, ...]
    images: tuple[ImageChange, ...]
    lock_unreadable: str | None = None
    odd_names: int = 0
