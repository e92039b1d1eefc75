"""How often each rule fired and its moves were right: data only, written by `python -m experiments.measure_rules`."""

N_TABLES = 39
# By rule id: (jobs that it fired on, jobs); and by move: (jobs where it was right, jobs where it was possible).
MEASURED: dict[str, dict[str, tuple[int, int]]] = {
    "FT101": {"fired": (0, 4286)},
    "FT102": {"fired": (30, 4286)},
    "FT103": {"fired": (0, 4286)},
    "FT201": {"fired": (287, 4286), "learning_rate_multiplier down": (248, 252), "n_epochs down": (269, 275)},
    "FT202": {"fired": (491, 4286), "n_epochs down": (364, 372)},
    "FT203": {"batch_size down": (10, 51), "fired": (94, 4286)},
    "FT204": {"fired": (106, 4286), "n_epochs down": (50, 106)},
    "FT301": {
        "batch_size down": (26, 26),
        "fired": (29, 4286),
        "learning_rate_multiplier up": (28, 28),
        "n_epochs up": (28, 29),
    },
    "FT302": {"fired": (1620, 4286), "n_epochs up": (1467, 1512)},
    "FT303": {"fired": (707, 4286), "learning_rate_multiplier up": (623, 669)},
    "FT304": {"batch_size down": (1276, 1350), "fired": (1704, 4286)},
    "FT305": {"fired": (1990, 4286), "n_epochs up": (1814, 1857)},
    "FT306": {"fired": (670, 4286), "n_epochs up": (540, 563)},
    "FT401": {"batch_size up": (3, 3), "fired": (3, 4286), "learning_rate_multiplier down": (3, 3)},
    "FT402": {"fired": (146, 4286), "learning_rate_multiplier down": (145, 146)},
    "FT403": {"fired": (241, 4286), "learning_rate_multiplier down": (237, 240)},
    "FT601": {"batch_size up": (157, 550), "fired": (683, 4286)},
}
