"""REPEATS. The tuning loop: submit a job, follow it, ask the advisor, submit what it proposes.

Brings `advisor` (judges) and `tracker` (records) together and is imported by neither; nothing heavy is imported here.
"""
