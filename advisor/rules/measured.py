"""How often each rule fired and its moves were right: data only, written by `python -m experiments.measure_rules`."""

N_TABLES = 6
# By rule id: (jobs that it fired on, jobs); and by move: (jobs where it was right, jobs where it was possible).
MEASURED: dict[str, dict[str, tuple[int, int]]] = {
    "FT101": {"fired": (0, 1152)},
    "FT102": {"fired": (0, 1152)},
    "FT103": {"fired": (0, 1152)},
    "FT201": {"fired": (82, 1152), "learning_rate_multiplier down": (76, 81), "n_epochs down": (77, 77)},
    "FT202": {"fired": (142, 1152), "n_epochs down": (123, 124)},
    "FT203": {"batch_size down": (4, 16), "fired": (24, 1152)},
    "FT301": {"fired": (0, 1152)},
    "FT302": {"fired": (402, 1152), "n_epochs up": (391, 392)},
    "FT303": {"fired": (203, 1152), "learning_rate_multiplier up": (182, 192)},
    "FT304": {"batch_size down": (391, 412), "fired": (496, 1152)},
    "FT305": {"fired": (603, 1152), "n_epochs up": (553, 570)},
    "FT306": {"fired": (226, 1152), "n_epochs up": (190, 197)},
    "FT401": {"batch_size up": (0, 1), "fired": (1, 1152), "learning_rate_multiplier down": (0, 1)},
    "FT402": {"fired": (0, 1152)},
    "FT403": {"fired": (2, 1152), "learning_rate_multiplier down": (2, 2)},
    "FT601": {"batch_size up": (61, 185), "fired": (219, 1152)},
}
