"""Reads a container image and names what would stop it from starting on AWS Lambda."""

from typing import Final

__version__: Final = "0.1.0"
HOME_URL: Final = "https://github.com/hima-five-bomber/rooms"
"""Where this project is, as the metadata of its package says."""
