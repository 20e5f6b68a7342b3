"""The rooms API: create, get, join and leave the lobby of a five-player quiz game.

Reading order: ``main`` (the entry point) -> ``router`` -> ``routes`` (the one table) ->
``handlers`` -> ``service`` (the rules) -> ``store`` (the item and its conditions) -> ``dynamodb``
(sending requests). Imports are relative: the image has only this folder, in its task root.
"""
