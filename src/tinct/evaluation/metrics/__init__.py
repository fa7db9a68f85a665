"""Metrics: pure functions from arrays to one number, and the table that names them (`tinct.evaluation.metrics.table`).

| module | numbers |
|---|---|
| `error` | PSNR, SSIM, L2_ab, mean CIEDE2000, area under the cumulative ab-error curve |
| `colorfulness` | colorfulness, and its difference from the truth's |
| `perceptual` | LPIPS (squeeze) |
| `distribution`, `inception` | Fréchet distance between sets of pictures; with Inception's features, FID |
| `semantic` | whether a classifier gives the result the class of the truth |
| `bleeding` | chroma edges without a lightness edge |
| `guidance` | color under hints, reach of hints, effect of a reference |

The frozen networks that some metrics run are described in `tinct.weights.frozen`.
"""
