"""What happens inside a training worker: rows to tokens, TRL's trainers, events, checkpoints, results.

It reads and writes the store; it does not know HTTP. Importing its modules imports torch.
"""
