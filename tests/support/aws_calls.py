"""The AWS API calls of the release commands, read from their source."""

import ast
from collections.abc import Collection, Iterator
from functools import cache
from typing import Final

import botocore.session
from botocore import xform_name

from tests.support.cdk_context import ROOT

# It asks DynamoDB Local, and not AWS.
_NOT_AWS: Final = ROOT / "release/boot/throw_away_tables.py"
# Where policies call an action otherwise than the API does.
_ACTIONS: Final = {"lambda:Invoke": "lambda:InvokeFunction"}


@cache
def release_actions() -> frozenset[str]:
    """Return the IAM actions of all calls in ``release/``, and in what it checks images with.

    A call is a name of boto3's for an operation of a service that a client is made for, wherever it
    stands: as a method, handed over as one, or as the name of a paginator.
    """
    session = botocore.session.get_session()
    known = frozenset(session.get_available_services())
    trees = [
        ast.parse(file.read_text(encoding="utf-8"))
        for folder in ("release", "imagecheck")
        for file in (ROOT / folder).rglob("*.py")
        if file != _NOT_AWS
    ]
    names = {name for tree in trees for name in _names(tree)}
    services = {service for tree in trees for service in _services(tree, known)}
    actions = {
        f"{service}:{operation}"
        for service in services
        for operation in session.get_service_model(service).operation_names
        if xform_name(operation) in names
    }
    return frozenset(_ACTIONS.get(action, action) for action in actions)


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for part in (node.func, *node.args):
                if isinstance(part, ast.Attribute):
                    yield part.attr
                elif isinstance(part, ast.Constant) and _is_named(node, "get_paginator"):
                    yield str(part.value)


def _is_named(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == name


def _services(tree: ast.AST, known: Collection[str]) -> Iterator[str]:
    """Yield what is named where a client is asked for."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="aws_client" | "clients" | "_client")
                | ast.Attribute(attr="client"),
                args=arguments,
            ):
                for argument in arguments:
                    if isinstance(argument, ast.Constant) and argument.value in known:
                        yield str(argument.value)
