"""From source to an image in an OCI layout: the same bytes from every checkout."""
