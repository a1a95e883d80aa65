"""The stack's configuration: what it may say, and how it is read."""
