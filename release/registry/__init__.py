"""The ECR repository of a stage: what goes there, and what must not go missing."""
