"""PyTorch definitions, a file a network. They need the `train` extra; running released weights does not."""
