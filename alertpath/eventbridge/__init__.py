"""Event patterns and input transformers, as EventBridge applies them."""
