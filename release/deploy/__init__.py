"""From a pinned image to a live one, and back."""
