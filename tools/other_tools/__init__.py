"""Other tools on the broken images of the tests: ``make comparison``."""
