"""Measures the advisor against its peers on tables of real fine-tuning: `python -m experiments.benchmark`."""
