"""PyTorch, an extra, and the refusal of what needs it where it is not installed."""

from __future__ import annotations

from tinct.errors import MissingExtraError


def torch_missing(error: ImportError) -> MissingExtraError:
    """The refusal of what needs PyTorch, from why it cannot be imported."""
    return MissingExtraError(
        f"PyTorch cannot be imported ({error}); networks are trained with it: pip install 'tinct[train]'."
    )


def check_torch() -> None:
    """Refuse to go on without PyTorch.

    Raises:
        MissingExtraError: if it cannot be imported.
    """
    try:
        import torch  # noqa: F401
    except ImportError as missing:
        raise torch_missing(missing) from None
