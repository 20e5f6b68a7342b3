"""D3: npm writes where it may not."""

from typing import Any

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import EXIT_ERROR, NODE_HANDLER, Case, E, Make, node
from tests.support.imagecheck.images import File, Symlink

_SCRIPT = "#!/var/lang/bin/node\n"
_NPM = "usr/lib/node_modules/npm"
_CLIENT = "var/task/node_modules/aws-lambda-ric"


def _npx(version: str, **settings: Any) -> Make:
    return node(
        File(f"{_NPM}/package.json", f'{{"name": "npm", "version": "{version}"}}'),
        File(f"{_NPM}/bin/npx-cli.js", _SCRIPT, 0o755),
        Symlink("usr/bin/npx", f"/{_NPM}/bin/npx-cli.js"),
        File("var/task/index.js", NODE_HANDLER),
        File(f"{_CLIENT}/package.json", '{"name": "aws-lambda-ric", "version": "3.3.0"}'),
        File(f"{_CLIENT}/bin/index.mjs", _SCRIPT, 0o755),
        Symlink("var/task/node_modules/.bin/aws-lambda-ric", "../aws-lambda-ric/bin/index.mjs"),
        entrypoint=["npx", "aws-lambda-ric"],
        **settings,
    )


# Each was started with a real Node 20 in the sandbox: 8.5.5 and 8.15.1 run the program.
_PATH = {"PATH": "/usr/bin"}
CASES = (
    *(
        Case(
            name=f"d3-npm-{version}",
            make=_npx(version, env=_PATH),
            findings={"D3": E},
            error_type=EXIT_ERROR,
        )
        for version in ("8.6.0", "8.13.0", "8.15.0")
    ),
    *(
        Case(name=f"d3-good-npm-{version}", make=_npx(version, env=_PATH))
        for version in ("8.5.5", "8.15.1", "10.9.9", "11.21.2")
    ),
    Case(
        name="d3-good-cache-in-tmp",
        make=_npx("8.13.0", env={**_PATH, "NPM_CONFIG_CACHE": "/tmp/.npm"}),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_d3(case: Case, finds: Finds) -> None:
    finds(case)
