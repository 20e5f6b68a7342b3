"""From source to live digest: the gates a release passes, and what to do when something breaks."""
