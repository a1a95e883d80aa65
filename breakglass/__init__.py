"""What the system is: names, documents, settings and detections, in pure Python."""
