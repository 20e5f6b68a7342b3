"""Part ``load``: clients that ask as fast as they are answered, against ``make run``."""
