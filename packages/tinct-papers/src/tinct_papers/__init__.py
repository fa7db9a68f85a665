"""Weights of the papers' networks, ONNX files with their manifest; `tinct.weights` reads them."""
