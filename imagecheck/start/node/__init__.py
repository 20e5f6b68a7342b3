"""How AWS's runtime client for Node.js finds and loads a handler."""
