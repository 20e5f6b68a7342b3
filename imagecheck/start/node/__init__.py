"""The search for the handler as AWS's runtime client for Node.js finds and loads it."""
