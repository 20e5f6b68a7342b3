"""The rooms API: create, get, join and leave the lobby of a five-player quiz game.

Read it from the top: ``main`` (what Lambda calls) -> ``router`` -> ``routes`` (the one table) ->
``handlers`` -> ``service`` (the rules) -> ``store`` (the item and its conditions) -> ``dynamodb``
(how a request is sent).
Imports are relative, because the image holds this folder alone, at the top of its task root.
"""
