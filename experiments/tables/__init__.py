"""Tables of real results: one task fine-tuned at every setting of a grid, for the benchmark and for priors of your own.

Run `python -m experiments.tables --data TRAIN.jsonl VALID.jsonl --out DIR`. The jobs are done by a fine-tuning server,
met by its address alone: one of our own is started unless `--base-url` names another.
"""
