"""How AWS's runtime client for Python finds and loads a handler."""
