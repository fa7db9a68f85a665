"""The photographs of an evaluation: sets of them, and pictures as arrays."""
