"""The whole system on one laptop: emulated AWS, the real CDK CLI, the real runtime client."""
