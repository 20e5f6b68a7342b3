"""The base image of the Dockerfile: which one it is, and whether there is a newer one."""
