"""The search for the handler as AWS's runtime client for Python finds and loads it."""
