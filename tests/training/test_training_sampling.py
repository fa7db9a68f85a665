"""Laws of what a training step sees: views, old lightness, hints, references, the losses' oracles."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install 'tinct[train]'")

import training_photographs as made
from tinct.color import bins as bins_oracle
from tinct.color import lab_torch
from tinct.color.lab import lab_to_rgb as numpy_lab_to_rgb
from tinct.color.lab import rgb_to_lab as numpy_rgb_to_lab
from tinct.networks.layers.outputs import bin_centers
from tinct.networks.tinct.training.batch import draw_batch, turned
from tinct.networks.tinct.training.recipe import TinctRecipe
from tinct.training import hints, lightness, losses, views
from tinct.training.labels import Labels, collect
from tinct.training.pool import RELATED, SELF, UNRELATED, Pool, choose_references

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


def pool_of(count: int = 24, *, weights: dict[int, float] | None = None, related: bool = True) -> Pool:
    photographs = made.photographs(count, weights)
    return Pool.open(photographs, collect(photographs) if related else None, CPU)


def test_lab_equals_the_packages_own() -> None:
    rgb = torch.rand(2, 3, 9, 7)
    rgb[0, :, 0] = torch.linspace(0, 0.05, 7)  # the linear parts of both curves
    wanted = numpy_rgb_to_lab(rgb.permute(0, 2, 3, 1).numpy())
    found = lab_torch.rgb_to_lab(rgb)
    assert np.allclose(found.permute(0, 2, 3, 1).numpy(), wanted, atol=2e-3)
    assert torch.allclose(lab_torch.lab_to_rgb(found), rgb, atol=1e-4)
    wild = torch.rand(1, 3, 20, 20) * 160 - 80
    wild[:, 0] = wild[:, 0].abs()
    clipped = np.clip(numpy_lab_to_rgb(wild.permute(0, 2, 3, 1).numpy()), 0, 1)
    assert np.allclose(lab_torch.lab_to_rgb(wild).permute(0, 2, 3, 1).numpy(), clipped, atol=1e-3)


def test_gray_has_no_chroma() -> None:
    gray = torch.linspace(0, 1, 256).expand(1, 3, 1, 256)
    assert lab_torch.rgb_to_lab(gray)[:, 1:].abs().max() < 1e-3


def test_the_whole_view_at_a_photographs_own_size_is_the_photograph() -> None:
    pool = pool_of()
    index = torch.tensor([0, 2])
    grid = views.whole_view(pool.sizes[index]).grid(made.SIDE)
    seen = views.look(pool, index, grid)
    assert torch.allclose(seen, pool.pixels[index].permute(0, 3, 1, 2).float() / 255, atol=1e-5)
    mirrored = views.whole_view(pool.sizes[index])
    mirrored.mirror = -mirrored.mirror
    assert torch.allclose(views.look(pool, index, mirrored.grid(made.SIDE)), seen.flip(3), atol=1e-5)


def test_no_view_leaves_the_photograph() -> None:
    pool = pool_of()
    pool.pixels[1::2, 40:] = 0
    pool.pixels[1::2, 40:, :, 0] = 255  # what lies beside the odd ones, which are 40 high
    index = torch.arange(1, 24, 2)
    view = views.moved_view(views.random_view(pool.sizes[index]))
    grid = view.grid(32, views.random_bend(len(index), 32, CPU))
    seen = views.look(pool, index, grid)
    alone = pool_of().pixels[index][:, :40].amin((1, 2))
    assert (seen.amin((2, 3)) * 255 >= alone - 0.5).all()


def test_segments_follow_the_view() -> None:
    pool = pool_of(4)
    left = torch.zeros(4, 64, 64, dtype=torch.uint8)
    left[:, :, 32:] = 9
    pool.segments = left
    index = torch.arange(4)
    whole = views.whole_view(pool.sizes[index])
    seen = views.look_at_segments(pool, index, whole.grid(32), 8)
    assert seen is not None
    assert (seen[:, :, :4] == 0).all()
    assert (seen[:, :, 4:] == 9).all()
    pool.segments = None
    assert views.look_at_segments(pool, index, whole.grid(32), 8) is None


def test_random_boxes_lie_inside() -> None:
    sizes = torch.tensor([[48.0, 30.0], [20.0, 48.0]]).repeat(200, 1)
    view = views.random_view(sizes)
    assert (view.center_x - view.width / 2 >= -1e-3).all()
    assert (view.center_x + view.width / 2 <= sizes[:, 1] + 1e-3).all()
    assert (view.center_y + view.height / 2 <= sizes[:, 0] + 1e-3).all()
    whole = (view.width == sizes[:, 1]) & (view.height == sizes[:, 0])
    assert 0.2 < whole.float().mean() < 0.45


def test_old_lightness_leaves_half_alone_and_stays_in_range() -> None:
    rgb = torch.rand(400, 3, 8, 8)
    own = lab_torch.rgb_to_lab(rgb)[:, :1]
    old = lightness.old_lightness(rgb, own)
    same = (old == own).all(-1).all(-1).all(-1).float().mean()
    assert 0.4 < same < 0.65
    assert old.min() >= 0
    assert old.max() <= 100
    assert lightness.relit(own).min() >= 0


def test_a_film_sees_gray_as_it_is() -> None:
    gray = torch.linspace(0.05, 0.95, 32).reshape(1, 1, 1, 32).expand(6, 3, 4, 32)
    assert torch.allclose(lightness.film_lightness(gray), lab_torch.rgb_to_lab(gray)[:, :1], atol=1e-3)


def test_a_hint_reveals_the_mean_truth_under_its_patch() -> None:
    ab = torch.randn(2, 2, 40, 40)
    place = torch.tensor([[[0.5, 0.25], [0.0, 0.99]]]).repeat(2, 1, 1)
    before, after = torch.tensor([[3, 2]]).repeat(2, 1), torch.tensor([[2, 4]]).repeat(2, 1)
    found = hints.reveal(ab, place, before, after, torch.ones(2, 2), 40)
    assert torch.allclose(found.ab[:, 0], ab[:, :, 7:13, 17:23].mean((2, 3)), atol=1e-6)
    assert torch.allclose(
        found.ab[:, 1], ab[:, :, 37:40, 0:5].mean((2, 3)), atol=1e-6
    )  # cut off at the edges
    assert torch.allclose(found.place[0], torch.tensor([[20 / 40, 10 / 40], [2.5 / 40, 38.5 / 40]]))


def test_one_pixel_is_revealed_exactly_in_a_large_picture() -> None:
    ab = torch.rand(1, 2, 224, 224) * 0.9
    zero = torch.zeros(1, 1, dtype=torch.long)
    found = hints.reveal(ab, torch.tensor([[[0.999, 0.999]]]), zero, zero, torch.ones(1, 1), 224)
    assert torch.allclose(found.ab[0, 0], ab[0, :, 223, 223], atol=1e-6)


def test_the_hint_map_is_what_painting_patch_by_patch_gives() -> None:
    ab = torch.randn(3, 2, 32, 32)
    counts = torch.tensor([0.0, 4.0, 30.0])
    found = hints.random_hints(ab, counts, 30)
    torch.manual_seed(5)
    place, half = torch.rand(3, 30, 2), torch.randint(0, 5, (3, 30))
    valid = (torch.arange(30)[None] < counts[:, None]).float()
    drawn = hints.reveal(ab, place, half, half, valid, 32)
    for photo in range(3):
        total, count = np.zeros((2, 32, 32)), np.zeros((32, 32))
        for i in range(int(counts[photo])):
            x, y = (int(v * 32) for v in place[photo, i])
            r = int(half[photo, i])
            rows, columns = slice(max(y - r, 0), y + r + 1), slice(max(x - r, 0), x + r + 1)
            total[:, rows, columns] += drawn.ab[photo, i].numpy()[:, None, None]
            count[rows, columns] += 1
        painted = np.concatenate([total / np.maximum(count, 1), (count > 0)[None]])
        halved = painted.reshape(3, 16, 2, 16, 2).mean((2, 4))
        assert np.allclose(drawn.map[photo].numpy(), halved, atol=1e-4)
    assert (found.valid.sum(1) == counts).all()
    assert found.map[0].abs().max() == 0


def test_numbers_of_hints_are_log_uniform() -> None:
    counts = hints.random_counts(20_000, 0.75, 100, CPU)
    assert abs((counts > 0).float().mean() - 0.75) < 0.02
    some = counts[counts > 0]
    assert some.min() == 1
    assert some.max() == 100
    assert abs((some <= 9).float().mean() - 0.5) < 0.02  # log(10) is half of log(101)


def test_photographs_are_drawn_by_their_weights_and_held_out_ones_never() -> None:
    photographs = made.photographs(200, {5: 3.0, 6: 0.0})
    pool = Pool.open(photographs, None, CPU)
    drawn = torch.bincount(pool.draw(120_000), minlength=200).float()
    held_out = torch.from_numpy(photographs.held_out())
    assert held_out.any()
    assert not held_out[5]
    assert (drawn[held_out] == 0).all()
    assert drawn[6] == 0
    others = drawn[~held_out]
    assert 2.6 < drawn[5] / others[others > 0].median() < 3.4


def test_held_out_photographs_are_nobodys_reference() -> None:
    photographs = made.photographs(200)
    pool = Pool.open(photographs, collect(photographs), CPU)
    held_out = torch.from_numpy(photographs.held_out())
    index = (~held_out).nonzero()[:, 0]
    for _ in range(10):
        chosen, kind = choose_references(pool, index, (0.2, 0.5, 0.3))
        assert not held_out[chosen].any()
        assert (chosen[kind == SELF] == index[kind == SELF]).all()
        assert set(kind.tolist()) == {SELF, RELATED, UNRELATED}


def test_who_has_no_relative_is_its_own_reference() -> None:
    pool = pool_of(related=False)
    index = torch.arange(12)
    chosen, kind = choose_references(pool, index, (0.0, 1.0, 0.0))
    assert (kind == SELF).all()
    assert (chosen == index).all()
    labels = Labels(related=np.array([[1, -1]] + [[-1, -1]] * 11, np.int32))
    photographs = made.photographs(12)
    few = Pool.open(photographs, labels, CPU)
    chosen, kind = choose_references(few, index, (0.0, 1.0, 0.0))
    assert (kind[1:] == SELF).all()
    assert choose_references(few, index[:0], (1.0, 0.0, 0.0))[0].numel() == 0


def test_a_warped_self_reference_keeps_the_photographs_colors() -> None:
    recipe = TinctRecipe(referenced=1.0, reference_shares=(1, 0, 0), recolored=0.0, hinted_too=0.0)
    batch = draw_batch(pool_of(), recipe, 8, 32)
    assert (batch.kind == SELF).all()
    for own, reference in zip(batch.ab, batch.reference_ab, strict=True):
        palette = own.flatten(1).T
        nearest = torch.cdist(reference.flatten(1).T, palette).min(1).values
        assert nearest.quantile(0.75) < 0.1  # 11 units of ab; four hues of a photograph lie 40 and more apart
    assert not torch.equal(batch.ab, batch.reference_ab)


@pytest.mark.parametrize(
    ("share", "shares", "kind"), [("recolored", (1, 0, 0), SELF), ("recolored_too", (0, 1, 0), RELATED)]
)
def test_recoloring_turns_truth_and_reference_by_the_same_angle_and_no_lightness(
    share: str, shares: tuple[float, float, float], kind: int
) -> None:
    batches = []
    for amount in (0.0, 1.0):
        torch.manual_seed(3)
        amounts = {"recolored": 0.0, share: amount}
        recipe = TinctRecipe(referenced=1.0, reference_shares=shares, old=False, **amounts)
        batches.append(draw_batch(pool_of(), recipe, 8, 32))
    plain, other = batches
    assert (plain.kind == kind).all()
    assert torch.equal(plain.lightness, other.lightness)
    assert torch.allclose(plain.ab.norm(dim=1), other.ab.norm(dim=1), atol=1e-5)
    cross = plain.ab[:, 0] * other.ab[:, 1] - plain.ab[:, 1] * other.ab[:, 0]
    angle = torch.atan2(cross, (plain.ab * other.ab).sum(1)).flatten(1).median(1).values
    assert angle.abs().max() > 0.5
    assert torch.allclose(turned(plain.reference_ab, angle), other.reference_ab, atol=1e-3)


def test_an_unrelated_reference_and_its_photograph_keep_their_colors() -> None:
    batches = []
    for amount in (0.0, 1.0):
        torch.manual_seed(3)
        recipe = TinctRecipe(1.0, (0, 0, 1), recolored=amount, recolored_too=amount)
        batches.append(draw_batch(pool_of(), recipe, 8, 32))
    for name in ("ab", "reference_ab"):
        assert torch.equal(getattr(batches[0], name), getattr(batches[1], name))


@pytest.mark.parametrize("count", [1, 2, 7])
def test_small_batches_have_what_fits(count: int) -> None:
    batch = draw_batch(pool_of(), TinctRecipe(), count, 32)
    assert batch.lightness.shape == (count, 1, 32, 32)
    assert batch.referenced == int(0.4 * count)
    assert batch.reference_ab.shape[0] == batch.referenced


def test_the_same_seed_gives_the_same_batch() -> None:
    pool = pool_of()
    batches = []
    for _ in range(2):
        torch.manual_seed(11)
        batches.append(draw_batch(pool, TinctRecipe(), 6, 32))
    first, second = batches
    for name in ("index", "lightness", "ab", "reference_ab", "kind"):
        assert torch.equal(getattr(first, name), getattr(second, name))
    assert torch.equal(first.hints.map, second.hints.map)


def test_soft_bins_equal_the_papers_encoding() -> None:
    ab = torch.rand(1, 2, 6, 6) * 1.2 - 0.6
    found = losses.soft_bins(ab, bin_centers(1.0))[0].permute(1, 2, 0).numpy()
    index, weight = bins_oracle.encode_bins(ab[0].permute(1, 2, 0).numpy() * 110, neighbors=25)
    wanted = np.zeros_like(found)
    np.put_along_axis(wanted, index, weight, -1)
    assert np.allclose(found, wanted, atol=2e-3)


def test_rebalancing_equals_the_papers() -> None:
    prior = np.random.default_rng(0).dirichlet(np.ones(313))
    found = losses.color_weights(torch.from_numpy(prior).float())
    assert np.allclose(found.numpy(), bins_oracle.rebalancing_weights(prior), rtol=1e-4)


def test_photographs_without_labels_teach_nothing() -> None:
    logits = torch.randn(3, 5, requires_grad=True)
    labels = torch.tensor([[0, 1.0, 0, 0, 0], [0] * 5, [0] * 5])
    losses.soft_label_loss(logits, labels).backward()
    assert logits.grad is not None
    assert (logits.grad[1:] == 0).all()
    assert logits.grad[0].abs().sum() > 0
    assert losses.soft_label_loss(logits, None) == 0
    assert losses.soft_label_loss(logits, labels * 0) == 0
    maps = torch.randn(1, 4, 2, 2)
    assert losses.segment_loss(maps, torch.full((1, 2, 2), 255)) == 0
    one = torch.full((1, 2, 2), 255)
    one[0, 0, 0] = 2
    assert torch.isclose(losses.segment_loss(maps, one), -maps[0, :, 0, 0].log_softmax(0)[2])
