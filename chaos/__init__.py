"""A trial of the rooms under faults, whose recorded histories are checked: ``make chaos``."""
