"""Measure your own method beside tinct's: `python examples/evaluate_your_own_method.py photographs/`.

The photographs are color ones; the protocol takes their color away, asks, and compares the answer with the truth.
"""

import sys
from pathlib import Path

import numpy as np

from tinct.evaluation.photographs.sets import find_photographs
from tinct.evaluation.protocols import get_protocol
from tinct.evaluation.run.contestants import CallablePredictor, get_contestant
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.plan import Run


def warm(lightness, hints, references):
    """Sepia: a* and b*, shape (H, W, 2), that grow with L*, shape (H, W), 0..100. Put your own method here."""
    return np.stack([0.06 * lightness, 0.18 * lightness], axis=-1)


contestants = [get_contestant("gray"), get_contestant("tinct"), CallablePredictor(warm, name="sepia")]
run = Run(get_protocol("auto-256"), contestants, find_photographs(Path(sys.argv[1])), limit=100)

summary = evaluate(run).summary()
for name, cases in summary.items():
    for case, scores in cases.items():
        print(name, case, *(f"{metric} {score['mean']:.3f}" for metric, score in scores.items()))
