"""A sandbox that starts images on this machine, under Lambda's conditions.

``unpack`` writes the files of an image into a folder; ``ImageSandbox`` runs its program there.
"""

from lambda_runtime.exit_reason import exit_reason
from lambda_runtime.image_sandbox.sandbox import ImageSandbox, exec_error
from lambda_runtime.image_sandbox.tools import ImageSandboxError, require_tools
from lambda_runtime.image_sandbox.unpack import unpack
from lambda_runtime.image_sandbox.users import LAMBDA_HOME, users_with_lambdas

__all__ = [
    "LAMBDA_HOME",
    "ImageSandbox",
    "ImageSandboxError",
    "exec_error",
    "exit_reason",
    "require_tools",
    "unpack",
    "users_with_lambdas",
]
