"""The released network: its definition, its method, its training, its configs and its graphs."""
