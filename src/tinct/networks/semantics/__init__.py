"""A second opinion on a photograph's colors, by what a network that knows ImageNet sees in the photograph.

`network.py` is EfficientNet-Lite2 with a small colorization network on its features, `training.py` trains the latter
and then the former's late stages, and `opinion.py` runs the released file. `tinct.networks.tinct.method` mixes the
opinion with its own answer.
"""
