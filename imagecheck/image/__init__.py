"""Reading container images: no daemon, no root, nothing unpacked. Knows nothing of Lambda."""
