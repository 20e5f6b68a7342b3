"""The incident that this project was born from, played again on this machine: `make incident`."""
