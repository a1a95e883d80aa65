"""Documents for people, and what generates those that are generated."""
