"""What can be wrong with reading an image."""


class CannotLookError(Exception):
    """Something cannot be read: no such file, no network, no permission, or too much of it.

    The message says what, why and what to do; it holds no secret. It is no judgement of the image.
    """


class UnfinishedError(CannotLookError):
    """It broke off on the way; another attempt may go better."""


class NotInRegistryError(Exception):
    """Whoever holds the images answers that it has no such manifest or blob."""


class DamagedImageError(Exception):
    """A document or a layer is not of the format that it should have."""


class WrongBytesError(DamagedImageError):
    """The bytes are not those that the digest and the size name."""
