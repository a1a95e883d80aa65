"""Proves offline that an event reaches a person. Imports neither Pulumi nor an AWS SDK."""
