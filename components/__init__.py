"""The Pulumi components that a stack is made of."""
