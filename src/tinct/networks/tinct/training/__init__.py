"""The training of the released network: where it begins, its batches, its losses, its validation."""
