"""A client of GitHub's REST API: comments and pull requests."""
