"""The sandbox's stand-in for the plugin of pulumi-aws."""
