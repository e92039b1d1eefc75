"""Makes further tables: real fine-tuning of a tiny model at every setting of a grid, on rows of the user's choice.

`python -m experiments.benchmark.generate --help`
"""
