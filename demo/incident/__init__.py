"""A replay of the incident behind this project, on this machine: `make incident`."""
