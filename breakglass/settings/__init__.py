"""The stack's configuration: its keys, their constraints, and the reader."""
