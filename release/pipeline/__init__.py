"""Commands of the pipeline beside the release: changes, comment, propose."""
