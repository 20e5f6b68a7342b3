"""What a change does to everything that is deployed, read from what is committed."""
