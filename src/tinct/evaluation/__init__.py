"""Measuring colorization: protocols, metrics, runs, reports and user studies."""
