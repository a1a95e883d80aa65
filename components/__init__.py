"""What gets deployed: Pulumi components and the pure functions they are made of."""
