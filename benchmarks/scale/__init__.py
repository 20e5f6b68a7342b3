"""Cost and scale: what operations and evenings cost, which limit is met first, and a rush."""
