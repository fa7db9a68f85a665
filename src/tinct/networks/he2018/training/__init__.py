"""He 2018's training: pairs, the two branches' losses, and the start from Zhang 2017."""

from tinct.networks.he2018.training.training import He2018Training

__all__ = ["He2018Training"]
