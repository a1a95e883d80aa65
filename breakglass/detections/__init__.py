"""The events that raise the alarm: the catalogue, its event patterns and its messages."""
