"""Train a network on your own album: `python examples/train_on_your_own_album.py album/ runs/album config.toml`.

The album is a folder of color photographs. A config has the tables [loop], [recipe] and [network] (docs/training.md)
and says how long to train. The weights go to runs/album/weights, and the last lines colorize a photograph with them.
"""

import os
import sys
from pathlib import Path

import tinct
from tinct.training.run import export_run, train

NETWORK = "zhang2016"

album, out, config = map(Path, sys.argv[1:4])


def tell(line) -> None:
    """Show each line of the log."""
    print({name: round(value, 4) if isinstance(value, float) else value for name, value in line.items()})


train(NETWORK, album, out, config, tell=tell)
weights = out / "weights"
export_run(out, weights, training_data="our own album")

os.environ["TINCT_WEIGHTS"] = str(weights)  # looked at when weights are opened
source = next(path for path in sorted(album.rglob("*")) if path.is_file())
tinct.colorize(source, method=NETWORK).write(out / "example.color.png")
