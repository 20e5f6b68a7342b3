"""The configuration of a stage: names, settings, image lock, and the project that holds them."""
