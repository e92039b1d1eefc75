"""The inference worker: requests as JSON lines on standard input, answers on standard output.

    python -m onprem.workers.infer

It keeps the last few models in memory until it is told to forget them. Its log never holds prompts or answers. What a
library prints goes to the log: the answers have a descriptor of their own.
"""

import json
import logging
import os
import queue
from typing import TextIO

from onprem.workers import lifeline

log = logging.getLogger("onprem.infer")


def main() -> None:
    """Answer until the server is gone."""
    requests: queue.SimpleQueue = queue.SimpleQueue()
    cancelled: set[int] = set()

    def heed(line: str) -> None:
        request = json.loads(line)
        if "cancel" in request:
            cancelled.add(request["cancel"])
        else:
            requests.put(request)

    out = _answers()
    lifeline.watch(heed)
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    from onprem.sampling.engine import Engine, Refused  # imports torch, after the lifeline is tied

    engine = Engine()
    while True:
        request = requests.get()
        if "forget" in request:
            engine.forget()
            continue
        number = request["id"]
        try:
            for answer in engine.answer(request, stop=lambda: number in cancelled):  # noqa: B023 - used within
                _say(out, number, answer)
        except Refused as error:
            _say(out, number, {"error": {"code": error.code, "message": str(error)}})
        except Exception as error:
            log.error("%s in request %d", type(error).__name__, number)
            message = f"The model could not be run ({type(error).__name__})."
            _say(out, number, {"error": {"code": "internal_error", "message": message}})
        cancelled.discard(number)


def _answers() -> TextIO:
    """Take standard output for the answers alone; whatever else is printed goes to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return out


def _say(out: TextIO, number: int, answer: dict) -> None:
    out.write(json.dumps({"id": number, **answer}) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
