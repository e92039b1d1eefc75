"""One conversation with several models at once: each hears the same questions and remembers its own answers."""

from __future__ import annotations

import asyncio

from tracker.use.ask import Message, Speaker


class Conversation:
    """A conversation.

    Parameters
    ----------
    speakers
        The models, in the order in which their answers are shown.
    system
        The system message for all of them.
    """

    def __init__(self, speakers: list[Speaker], system: str | None = None):
        self._speakers = speakers
        start: list[Message] = [{"role": "system", "content": system}] if system else []
        self._said: dict[str, list[Message]] = {speaker.model: list(start) for speaker in speakers}

    async def say(self, text: str) -> dict[str, str]:
        """Say something to all; returns their answers by model. A failed turn leaves nothing in any memory."""
        asked: Message = {"role": "user", "content": text}
        answers = await asyncio.gather(*(s.answer([*self._said[s.model], asked]) for s in self._speakers))
        for speaker, answer in zip(self._speakers, answers, strict=True):
            self._said[speaker.model] += [asked, {"role": "assistant", "content": answer}]
        return {speaker.model: answer for speaker, answer in zip(self._speakers, answers, strict=True)}
