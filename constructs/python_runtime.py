"""The managed runtime of functions that are deployed as a zip."""

from typing import Final

from aws_cdk import Acknowledgment
from aws_cdk import aws_lambda as lambda_

from config.function_libraries import PYTHON_VERSION

PYTHON: Final = lambda_.Runtime(f"python{PYTHON_VERSION}", lambda_.RuntimeFamily.PYTHON)
"""The same Python version as in the function's image."""

NOT_THE_LATEST: Final = Acknowledgment(
    id="AwsSolutions-L1",
    reason="The Python version of the image, with which the code is tested.",
)
