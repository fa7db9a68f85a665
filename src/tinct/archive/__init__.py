"""Colorizing archives: manifests, deterministic output keys, and a ledger from which a killed run resumes."""
