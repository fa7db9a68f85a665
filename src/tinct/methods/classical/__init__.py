"""Methods without networks, and the features, matching and propagation that they share."""
