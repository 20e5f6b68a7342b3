"""The contract test: the API's four routes, called as a client calls them.

Boot, the pre-traffic hook and smoke run it. It is in the hook's zip, so it imports nothing but the
standard library.
"""
