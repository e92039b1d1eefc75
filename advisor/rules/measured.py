"""How often each rule fired and its moves were right: data only, written by `python -m experiments.measure_rules`."""

N_TABLES = 39
# By rule id: (jobs that it fired on, jobs); and by move: (jobs where it was right, jobs where it was possible).
MEASURED: dict[str, dict[str, tuple[int, int]]] = {
    "FT101": {"fired": (0, 4286)},
    "FT102": {"fired": (0, 4286)},
    "FT103": {"fired": (0, 4286)},
    "FT201": {"fired": (324, 4286), "learning_rate_multiplier down": (248, 252), "n_epochs down": (269, 276)},
    "FT202": {"fired": (540, 4286), "n_epochs down": (376, 385)},
    "FT203": {"batch_size down": (10, 51), "fired": (95, 4286)},
    "FT204": {"fired": (107, 4286), "n_epochs down": (51, 107)},
    "FT301": {"fired": (19, 4286), "learning_rate_multiplier up": (19, 19), "n_epochs up": (19, 19)},
    "FT302": {"fired": (1643, 4286), "n_epochs up": (1489, 1535)},
    "FT303": {"fired": (710, 4286), "learning_rate_multiplier up": (626, 672)},
    "FT304": {"batch_size down": (1320, 1396), "fired": (1769, 4286)},
    "FT305": {"fired": (2091, 4286), "n_epochs up": (1897, 1945)},
    "FT306": {"fired": (672, 4286), "n_epochs up": (542, 565)},
    "FT401": {"batch_size up": (3, 4), "fired": (8, 4286), "learning_rate_multiplier down": (7, 8)},
    "FT402": {"fired": (123, 4286), "learning_rate_multiplier down": (122, 123)},
    "FT403": {"fired": (241, 4286), "learning_rate_multiplier down": (237, 240)},
    "FT601": {"batch_size up": (134, 522), "fired": (656, 4286)},
}
