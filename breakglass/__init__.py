"""What the system is: names, documents, settings and detections, in pure Python."""

VERSION = "0.1.0"
"""Of the project, and so of its policy pack."""
