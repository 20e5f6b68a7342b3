"""Tools for maintainers: generated documents, pictures, measurements."""
