"""How a command ends when it does not end well."""


class RefusedError(Exception):
    """The answer is no: exit status 1. The message says what stands in the way and what to do."""


class CannotDoError(Exception):
    """It could not be done or found out: exit status 2. The message says why and what to do.

    Reading an image has its own: ``imagecheck.image.errors.CannotLookError``.
    """
