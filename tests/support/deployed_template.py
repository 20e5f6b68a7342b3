"""A template as CloudFormation would read it: what only it knows is filled in."""

import re
from collections.abc import Mapping
from typing import Any, Final

ACCOUNT: Final = "123456789012"
REGION: Final = "ap-northeast-1"

_PSEUDO: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}


def filled_in(value: Any) -> Any:
    """Replace what the account and the Region decide. Raises KeyError for a reference to more."""
    match value:
        case {"Ref": str(name)}:
            return _PSEUDO[name]
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(filled_in(part) for part in parts)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: _PSEUDO[found[1]], text)
        case Mapping():
            if intrinsic := [key for key in value if key.startswith("Fn::")]:
                raise KeyError(intrinsic[0])
            return {key: filled_in(each) for key, each in value.items()}
        case list():
            return [filled_in(each) for each in value]
        case _:
            return value


def role_named(template: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the properties of the role of that name."""
    (found,) = (
        filled_in(resource["Properties"])
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role" and resource["Properties"].get("RoleName") == name
    )
    role: dict[str, Any] = found
    return role
