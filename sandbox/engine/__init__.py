"""The Pulumi engine of the sandbox."""
