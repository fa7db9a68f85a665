"""Programs for those who change tinct, not part of the wheel; `python -m tools.NAME` in the repository's root."""
