"""What the system says is wrong."""

import shutil


def reason_of(error: OSError) -> str:
    """Return the reason in the system's words, also of a folder that was not copied as a whole.

    ``shutil.Error`` has no ``strerror``, but a list of what was not copied, each with its reason:
    https://docs.python.org/3/library/shutil.html#shutil.Error
    """
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        return "; ".join(dict.fromkeys(str(why) for _, _, why in error.args[0]))
    return error.strerror or str(error) or type(error).__name__
