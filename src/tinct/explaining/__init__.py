"""What a network takes a photograph for: its scenes and segments."""
