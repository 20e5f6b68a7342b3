"""AWS on this machine: moto's server, and what its CloudFormation lacks for our templates."""
