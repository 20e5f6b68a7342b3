"""Lambda's runtime on this machine: Runtime API, runtime client, image sandbox, DynamoDB Local."""
