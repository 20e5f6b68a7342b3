"""The start of an image on Lambda, from the first program to the handler."""
