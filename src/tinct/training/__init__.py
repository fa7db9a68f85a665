"""How the networks are trained: packing photographs, sampling hints and references, losses, one loop, export."""
