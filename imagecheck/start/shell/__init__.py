"""A careful reader of small shell scripts: it follows what is certain on Lambda, and gives up else.

The language: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html.
"""
