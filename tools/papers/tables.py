"""Tables from one run of `auto-256`: the thesis on semantic guides, Zhang et al. (ECCV 2016), what is minimized."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tinct.evaluation.report.compare import Difference, compare
from tinct.evaluation.report.tables import DASH, columns_of, heading, markdown_table
from tinct.evaluation.run.results import Results
from tinct.methods import get_method
from tinct.weights import manifest
from tools.papers.page import Section

CASE = "auto"
"""The case of `auto-256`."""

THESIS = {
    "iizuka2016": "Iizuka et al.",
    "larsson2016": "Larsson et al.",
    "zhang2016": "Zhang et al.",
    "scunet-regsoft": "RegSoft",
    "scunet-classregsoft": "ClassRegSoft",
    "scunet": "SegClassRegSoft",
}
"""Method -> its name in the thesis on semantic guides (Nguyen-Quynh et al., IEEE Access 2020)."""

THESIS_METRICS = ("psnr", "ssim", "l2_ab")
"""Metrics of the thesis's table."""

THESIS_SETS = ("ImageNet ctest1k", "DIV2K", "Places365", "COCO-Stuff")
"""Sets of photographs of the thesis's table."""

THESIS_PUBLISHED = {
    "iizuka2016": ((22.841, 0.865, 0.277), (22.981, 0.919, 0.079), (25.572, 0.948, 0.481), (23.541, 0.871, 0.242)),
    "larsson2016": ((23.335, 0.869, 0.26), (23.490, 0.929, 0.072), (25.096, 0.945, 0.452), (23.773, 0.873, 0.223)),
    "zhang2016": ((21.297, 0.848, 0.286), (20.929, 0.896, 0.079), (23.076, 0.928, 0.484), (21.502, 0.851, 0.245)),
    "scunet-regsoft": ((22.102, 0.896, 0.269), (22.026, 0.914, 0.071), (23.599, 0.932, 0.474), (22.872, 0.912, 0.23)),
    "scunet-classregsoft": (
        (21.068, 0.886, 0.274),
        (21.694, 0.912, 0.071),
        (22.916, 0.924, 0.466),
        (22.134, 0.907, 0.23),
    ),
    "scunet": ((21.900, 0.893, 0.264), (22.330, 0.917, 0.068), (23.858, 0.931, 0.442), (22.985, 0.913, 0.223)),
}  # fmt: skip
"""Method -> for each of THESIS_SETS PSNR, SSIM, L2_ab as published; the unit of L2_ab is not that of tinct."""

ZHANG = {
    "zhang2016": "full, annealed mean",
    "zhang2016-mode": "full, mode",
    "zhang2016:vividness=0": "full, mean",
    "zhang2016-five-blocks": "five blocks",
    "zhang2016-four-blocks": "four blocks",
    "zhang2016-l2": "L2",
}
"""Contestant -> its name in the table of Zhang et al. 2016."""

ZHANG_METRICS = ("auc", "auc_rebalanced", "psnr", "colorfulness")
"""Metrics of that table."""

OBJECTIVES = {
    "zhang2016-l2": "squared error (L2)",
    "zhang2016": "classification, rebalanced",
    "pix2pix-l1": "absolute error (L1)",
    "pix2pix": "absolute error and discriminator (L1 + cGAN)",
}
"""Method -> what its network minimizes, for the comparison of Isola et al. (CVPR 2017)."""

OBJECTIVES_METRICS = (
    "psnr",
    "colorfulness",
    "colorfulness_difference",
    "lpips",
    "semantic",
    "auc",
    "auc_rebalanced",
)
"""Metrics of that table."""

OBJECTIVES_PUBLISHED = {"zhang2016-l2": (16.3, 2.4), "zhang2016": (27.8, 2.7), "pix2pix": (22.5, 1.6)}
"""Method -> how many people in a hundred took its result for a photograph, as published, and the standard error."""

METHODS = tuple(dict.fromkeys((*THESIS, *ZHANG, *OBJECTIVES)))
"""Contestants of all tables."""


def thesis_table(results: Results) -> Section | None:
    """The table of the thesis: its three networks and the automatic networks before them; None if none answered."""
    if not (rows := _answering(results, THESIS)):
        return None
    published = [f"| method | {' | '.join(THESIS_SETS)} |", f"|---|{'--:|' * len(THESIS_SETS)}"]
    for name in rows:
        cells = ["{:.2f} / {:.3f} / {:.3f}".format(*figures) for figures in THESIS_PUBLISHED[name]]
        published.append(f"| {THESIS[name]} | {' | '.join(cells)} |")
    text = f"""
{_counted(results)}

{_table(results, rows, THESIS, THESIS_METRICS)}

{_lengths(rows, THESIS)}

{_against(results, "scunet", [name for name in rows if name.startswith("scunet-")], THESIS, THESIS_METRICS)}

As published, PSNR / SSIM / L2_ab, the last in a unit of its own (compare ranks, not figures of other photographs):

{chr(10).join(published)}
"""
    return Section("The thesis on semantic guides: its ablations, and networks before it", text)


def zhang_table(results: Results) -> Section | None:
    """The table of Zhang et al. 2016: ablations, and readings of the distribution; None if none answered."""
    if not (rows := _answering(results, ZHANG)):
        return None
    text = f"""
{_counted(results)} "Mode", "mean" and "annealed mean" (T = 0.38) read the same network's distribution.

{_table(results, rows, ZHANG, ZHANG_METRICS)}

{_lengths(rows, ZHANG)}

{_against(results, "zhang2016", [name for name in rows if name != "zhang2016"], ZHANG, ZHANG_METRICS[:2])}

As published, on ImageNet: AuC 89.5 and 67.3 rebalanced for the full method.
"""
    return Section("Zhang 2016: ablations, and readings of the distribution", text)


def objectives_table(results: Results) -> Section | None:
    """The comparison of what networks minimize, with people's votes as published; None if no network answered."""
    if not (rows := _answering(results, OBJECTIVES)):
        return None
    pair = [name for name in rows if name == "pix2pix-l1"]
    fooled = ", ".join(
        f"{OBJECTIVES[name]} {share} ± {error} %" for name, (share, error) in OBJECTIVES_PUBLISHED.items()
    )
    against = f"\n{_against(results, 'pix2pix', pair, OBJECTIVES, OBJECTIVES_METRICS)}\n" if pair else ""
    text = f"""
{_counted(results)} A network without skips (`zhang2016`) for L2 and classification, a U-Net (`pix2pix`) for the others.

{_table(results, rows, OBJECTIVES, OBJECTIVES_METRICS)}

{_lengths(rows, OBJECTIVES)}
{against}
As published, of ImageNet's photographs at full width, so many results people took for real: {fooled}.
"""
    return Section("What is minimized: L2, classification, L1, L1 and a discriminator", text)


def _answering(results: Results, names: Iterable[str]) -> list[str]:
    answered = {record.method for record in results.records}
    return [name for name in names if name in answered]


def _table(results: Results, rows: Iterable[str], titles: Mapping[str, str], metrics: Sequence[str]) -> str:
    columns = columns_of(results, CASE)
    named = {f"{titles[name]} (`{name}`)": columns[name] for name in rows}
    return markdown_table({"gray": columns["gray"], **named}, metrics)


def _lengths(rows: Iterable[str], titles: Mapping[str, str]) -> str:
    """A line with each network's training steps, if they are known and differ; else ""."""
    known, steps = manifest(), {}
    for name in rows:
        weights = get_method(name.partition(":")[0]).weights
        if len(weights) == 1 and (file := weights[0]) in known:
            steps[titles[name]] = known[file].steps
    if len(set(steps.values())) < 2:
        return ""
    listed = ", ".join(f"{title} {count:,}" for title, count in steps.items())
    return f"Trained for different numbers of steps, which differences are also of: {listed}."


def _against(
    results: Results, full: str, others: Sequence[str], titles: Mapping[str, str], metrics: Sequence[str]
) -> str:
    """The differences of the full network from the others on the same photographs; "" if a network did not answer."""
    if not others or not any(record.method == full for record in results.records):
        return ""
    lines = [
        f"{titles[full]} minus the others on the same photographs, with 95 % confidence intervals:",
        "",
        f"| minus | {' | '.join(heading(metric) for metric in metrics)} |",
        f"|---|{'--:|' * len(metrics)}",
    ]
    for other in others:
        found = {d.metric: d for d in compare(results, results, methods=(other, full), cases=(CASE,))}
        cells = " | ".join(_interval(found.get(metric)) for metric in metrics)
        lines.append(f"| {titles[other]} | {cells} |")
    return "\n".join(lines)


def _interval(found: Difference | None) -> str:
    return f"{found.mean:+.3f} ({found.low:+.3f} .. {found.high:+.3f})" if found else DASH


def _counted(results: Results) -> str:
    measured = len({record.photograph for record in results.records})
    return f"`{results.heading.protocol}` on {measured} photographs, seed {results.heading.seed}."
