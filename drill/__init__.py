"""The operator's side: is it ready, does it ring, and what shows it. Reads and drills live AWS accounts."""
