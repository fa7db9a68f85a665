"""What is measured, as pure functions: arrays in, one figure out.

| module | figures |
|---|---|
| `error` | PSNR, SSIM, L2_ab, mean CIEDE2000, area under the cumulative ab-error curve |
| `colorfulness` | colorfulness and how far it is from the truth's |
| `perceptual` | LPIPS (squeeze) |
| `distribution`, `inception` | Fréchet distance between sets of pictures; with Inception's features, FID |
| `semantic` | does a classifier see the same? |
| `bleeding` | chroma edges without a lightness edge |
| `guidance` | are hints there, how far do they spread, is a reference used? |

Networks that some of them need are described in `tinct.weights.frozen`.
"""

from tinct.evaluation.metrics.bleeding import bleeding
from tinct.evaluation.metrics.colorfulness import colorfulness, colorfulness_difference
from tinct.evaluation.metrics.distribution import (
    Gaussian,
    frechet_distance,
    frechet_picture_distance,
    gaussian,
)
from tinct.evaluation.metrics.error import (
    ab_error_auc,
    ab_error_histogram,
    area_under_curve,
    l2_ab,
    l2_ab_per_pixel,
    mean_ciede2000,
    psnr,
    rare_color_weights,
    ssim,
)
from tinct.evaluation.metrics.guidance import HintReach, ReferenceUse, hint_error, hint_reach, reference_use
from tinct.evaluation.metrics.inception import InceptionFeatures
from tinct.evaluation.metrics.perceptual import Lpips, SqueezeNetFeatures
from tinct.evaluation.metrics.semantic import Classifier, semantic_agreement, semantic_overlap

__all__ = [
    "Classifier",
    "Gaussian",
    "HintReach",
    "InceptionFeatures",
    "Lpips",
    "ReferenceUse",
    "SqueezeNetFeatures",
    "ab_error_auc",
    "ab_error_histogram",
    "area_under_curve",
    "bleeding",
    "colorfulness",
    "colorfulness_difference",
    "frechet_distance",
    "frechet_picture_distance",
    "gaussian",
    "hint_error",
    "hint_reach",
    "l2_ab",
    "l2_ab_per_pixel",
    "mean_ciede2000",
    "psnr",
    "rare_color_weights",
    "reference_use",
    "semantic_agreement",
    "semantic_overlap",
    "ssim",
]
