"""The commands of ``python -m release``: one a file, the function of the same name."""
