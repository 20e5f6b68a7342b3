"""What a change does, as the comment of a pull request."""
