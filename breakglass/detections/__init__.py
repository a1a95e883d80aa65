"""What rings: the catalogue, its event patterns and its messages."""
