"""The changes to everything that is deployed, read from committed files."""
