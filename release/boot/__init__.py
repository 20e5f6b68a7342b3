"""An image started on this machine, as Lambda would start it."""
