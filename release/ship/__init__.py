"""A release from the source to a live stage: every step that is missing, in order."""
