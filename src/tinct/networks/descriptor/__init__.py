"""A photograph's descriptor: what EfficientNet-Lite2 sees in its lightness, as a short vector of unit length.

`network.py` is its form in PyTorch, from which `python -m tools.descriptor_weights` makes the released file;
`tinct.retrieval.descriptor` runs that file. The network colorizes nothing and is not trained here.
"""
