"""Lambda's message for the end of a process.

https://github.com/aws/aws-lambda-runtime-interface-emulator, internal/lambda/rapid/handlers.go
"""

import signal


def exit_reason(return_code: int) -> str:
    """Return the message for a return code; a negative one is a signal, as in subprocess."""
    if return_code == 0:
        return "Runtime exited without providing a reason"
    if return_code < 0:
        return f"Runtime exited with error: signal: {_signal_name(-return_code)}"
    return f"Runtime exited with error: exit status {return_code}"


def _signal_name(number: int) -> str:
    return (signal.strsignal(number) or str(number)).lower()
