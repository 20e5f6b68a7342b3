"""An image really started on this machine, under the conditions that Lambda gives it.

``unpack`` writes its files into a folder, ``ImageSandbox`` runs a program of that folder.
"""

from local.exit_reason import exit_reason
from local.image_sandbox.sandbox import ImageSandbox, exec_error
from local.image_sandbox.tools import ImageSandboxError, require_tools
from local.image_sandbox.unpack import unpack

__all__ = [
    "ImageSandbox",
    "ImageSandboxError",
    "exec_error",
    "exit_reason",
    "require_tools",
    "unpack",
]
