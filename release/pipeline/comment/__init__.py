"""The comment on a pull request that shows what a change does."""
