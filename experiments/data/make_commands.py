"""Makes `commands`: what people say to a house, and the call that does it: `python -m experiments.data.make_commands`.

The text is our own, drawn by a seeded grammar; nothing of it is in the base model's pretraining data. Each call follows
from the sentence without doubt, so that a model that has understood the form loses nothing on it: tuning pays.
No call of the validation set is in the training set.
"""

import random

from .rows import row, write

ROOMS = (
    "kitchen", "hall", "bedroom", "bathroom", "office", "garage", "cellar", "attic", "nursery", "garden", "library",
    "porch",
)  # fmt: skip
# device: (what can be set, unit as said, smallest, largest, step)
DEVICES = {
    "lamp": ("light", "percent", 5, 100, 5),
    "heater": ("heat", "degrees", 15, 28, 1),
    "fan": ("speed", "percent", 10, 100, 10),
    "blinds": ("close", "percent", 10, 90, 10),
    "radio": ("volume", "percent", 5, 60, 5),
    "freezer": ("cold", "degrees below zero", 16, 24, 1),
    "pump": ("flow", "litres", 10, 90, 5),
    "oven": ("heat", "degrees", 90, 250, 10),
}
HOURS = ("twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
DISTANCES = {5: "five", 10: "ten", 15: "a quarter", 20: "twenty", 25: "twenty-five", 30: "half"}
TIMED = 0.75  # of the sentences name a time
SETTING = (
    "set the {room} {device} to {value} {unit}{when}",
    "{when_first}put the {device} in the {room} at {value} {unit}",
    "please bring the {room} {device} to {value} {unit}{when}",
    "I want the {device} in the {room} at {value} {unit}{when}",
    "could the {room} {device} go to {value} {unit}{when}?",
)
SWITCHING = (
    "turn {state} the {room} {device}{when}",
    "{when_first}switch the {device} in the {room} {state}",
    "the {room} {device} should be {state}{when}",
    "please have the {device} in the {room} {state}{when}",
)
N_TRAIN, N_VALID, SEED = 200, 100, 0


def example(draw: random.Random) -> dict:
    """Draw one sentence with its call."""
    device, room = draw.choice(list(DEVICES)), draw.choice(ROOMS)
    said, clock = _time(draw) if draw.random() < TIMED else ("", None)
    slots = {"device": device, "room": room, "when": f" {said}" if said else ""}
    slots["when_first"] = f"{said}, " if said else ""
    arguments = [f'room="{room}"']
    if draw.random() < 0.7:
        knob, unit, low, high, step = DEVICES[device]
        value = draw.randrange(low, high + 1, step)
        sentence = draw.choice(SETTING).format(value=value, unit=unit, **slots)
        arguments.append(f"{knob}={-value if 'below' in unit else value}")
    else:
        state = draw.choice(("on", "off"))
        sentence = draw.choice(SWITCHING).format(state=state, **slots)
        arguments.append(f'turn="{state}"')
    if clock:
        arguments.append(f'at="{clock}"')
    return row(sentence, f"{device}({', '.join(arguments)})")


def _time(draw: random.Random) -> tuple[str, str]:
    """Draw a time of day: as it is said, and as a clock of 24 hours shows it."""
    hour, minute = draw.randrange(24), 5 * draw.randrange(12)
    clock = f"{hour:02d}:{minute:02d}"
    if draw.random() < 0.5:
        return f"at {hour}:{minute:02d}", clock
    to = minute > 30  # people then name the hour that comes
    named, distance = HOURS[(hour + to) % 12], 60 - minute if to else minute
    said = f"{DISTANCES[distance]} {'to' if to else 'past'} {named}" if minute else named
    return f"at {said} {_part_of_day(hour)}", clock


def _part_of_day(hour: int) -> str:
    if hour < 12:
        return "at night" if hour < 5 else "in the morning"
    return "in the afternoon" if hour < 18 else "in the evening"


def main() -> None:
    """Draw until both sets are full; a call is in one of them alone and no sentence comes twice."""
    draw, calls, rows = random.Random(SEED), set(), []
    while len(rows) < N_TRAIN + N_VALID:
        new = example(draw)
        call = new["messages"][1]["content"]
        if call not in calls:
            calls.add(call)
            rows.append(new)
    write("commands", rows[N_VALID:], rows[:N_VALID])


if __name__ == "__main__":
    main()
