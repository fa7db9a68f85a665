"""Colorizing archives: a manifest, deterministic output keys, and a ledger that a killed run resumes from."""
