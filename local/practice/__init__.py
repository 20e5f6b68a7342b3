"""`make cloud`: an emulated account in which a release is practised, with the real commands."""
