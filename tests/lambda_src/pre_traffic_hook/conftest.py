from tests.support.contract_service import service  # noqa: F401  (a fixture)
