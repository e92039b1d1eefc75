"""How often each rule's move was right on the benchmark: data only, written by `python -m experiments.measure_rules`."""

MEASURED: dict[str, dict[str, tuple[int, int]]] = {}
