"""Programs for those who change tinct, outside the wheel; run from the repository root: `python -m tools.NAME`."""
