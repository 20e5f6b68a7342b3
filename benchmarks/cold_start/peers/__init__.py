"""Functions that create a room: peers of ours, and candidates for its client."""
