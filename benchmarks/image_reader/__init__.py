"""Part ``image-reader``: how long ``release check`` reads a large image, and a bomb."""
