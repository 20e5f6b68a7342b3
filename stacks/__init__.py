"""What is deployed together, and the settings of each stage."""
