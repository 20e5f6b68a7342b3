"""The managed runtime of what is deployed as a zip."""

from typing import Final

from aws_cdk import Acknowledgment
from aws_cdk import aws_lambda as lambda_

from lambda_src.dependencies import PYTHON_VERSION

PYTHON: Final = lambda_.Runtime(f"python{PYTHON_VERSION}", lambda_.RuntimeFamily.PYTHON)
"""It has the Python of the function's image."""

NOT_THE_LATEST: Final = Acknowledgment(
    id="AwsSolutions-L1",
    reason="The Python that the image has and the code is tested with; both change together.",
)
