"""The inference worker: requests as JSON lines on standard input, answers on standard output.

    python -m onprem.workers.infer

It keeps the last few models in memory. Its log never holds prompts or answers.
"""

import json
import logging
import queue
import sys

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

    lifeline.watch(heed)
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    from onprem.sampling.engine import Engine, Refused  # imports torch, after the lifeline is tied

    engine = Engine()
    while True:
        request = requests.get()
        number = request["id"]
        try:
            for answer in engine.answer(request, stop=lambda: number in cancelled):  # noqa: B023 - used within
                _say(number, answer)
        except Refused as error:
            _say(number, {"error": {"code": error.code, "message": str(error)}})
        except Exception as error:
            log.error("%s in request %d", type(error).__name__, number)
            message = f"The model could not be run ({type(error).__name__})."
            _say(number, {"error": {"code": "internal_error", "message": message}})
        cancelled.discard(number)


def _say(number: int, answer: dict) -> None:
    sys.stdout.write(json.dumps({"id": number, **answer}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
