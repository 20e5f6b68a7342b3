"""Errors of reading an image."""

from imagecheck.errors import FailedError


class ImageReadError(FailedError):
    """Something cannot be read: no such file, no network, no permission, or too much of it.

    It says nothing about whether the image works.
    """

    code = "IMAGE_UNREADABLE"


class UnfinishedError(ImageReadError):
    """It broke off on the way; another attempt may go better."""


class NotInRegistryError(Exception):
    """The registry, folder or archive has no such manifest or blob."""


class DamagedImageError(Exception):
    """A document or a layer is not of the format that it should have."""


class WrongBytesError(DamagedImageError):
    """The bytes are not those that the digest and the size name."""
