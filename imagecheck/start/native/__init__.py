"""Native modules: what packages bring for which platform, and which of them are loaded."""
