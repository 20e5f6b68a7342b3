"""The project's own CDK CLI, run quietly."""

from pathlib import Path

import pytest

from config.cdk_cli import run_cdk
from imagecheck.errors import FailedError


def test_a_missing_cdk_cli_is_reported_with_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="is missing") as error:
        run_cdk(tmp_path, ["synth"], {})
    assert error.value.hint == "make setup"
