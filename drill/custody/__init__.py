"""Who holds the key: `password`, `use`, and `policy` for the operator."""
