"""Commits that must not reach players, which nobody can tell by reading the image."""

from demo.incident.checkout import Checkout

_MAIN = "lambda_src/rooms/main.py"


def does_not_start(main: Checkout) -> str:
    """Commit what fails when it is started; return the commit."""
    main.replace(_MAIN, "import os\n", 'import os\n\nos.environ["QUIZ_TABLE"]\n')
    return main.commit("The quiz has a table")


def does_not_answer_in_prd(main: Checkout) -> str:
    """Commit what works everywhere but for players of prd: no hook is asked by a domain."""
    main.replace(
        _MAIN,
        "def handler(",
        "def handler(event, context):\n"
        '    if "-prd-" in os.environ["ROOMS_TABLE"] and "domainName" in event["requestContext"]:\n'
        '        raise KeyError("the domain of prd")\n'
        "    return answer(event, context)\n\n\n"
        "def answer(",
    )
    return main.commit("Count players by domain")
