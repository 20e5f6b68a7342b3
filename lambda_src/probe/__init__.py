"""Plays the contract of the API with a room of its own: what every gate after the build asks.

It is in the zip of the pre-traffic hook, so it imports nothing but the standard library, and boto3
where the hook needs it.
"""
