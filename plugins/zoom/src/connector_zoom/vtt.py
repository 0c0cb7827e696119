"""Transcripts as Zoom writes them: WebVTT, the speaker's name before the text of each cue."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connector_core.model import Utterance

_TIMES = re.compile(r"(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)[.,](\d{3})[ \t]+-->")
_SPEAKER = re.compile(r"([^:\n]{1,100}):\s+(.+)", re.DOTALL)


def read_vtt(text: str, offset_seconds: float = 0.0) -> Iterator[Utterance]:
    """Read the cues.

    :param offset_seconds: From the start of the call to the start of the recording that the cues count from.
    """
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip().split("\n")
        for place, line in enumerate(lines):
            if times := _TIMES.match(line.strip()):
                said = " ".join(part.strip() for part in lines[place + 1 :]).strip()
                if said:
                    yield _utterance(said, max(0.0, offset_seconds + _seconds(times)))
                break


def _utterance(said: str, at_seconds: float) -> Utterance:
    named = _SPEAKER.fullmatch(said)
    speaker, text = (named[1].strip(), named[2].strip()) if named else (None, said)
    return Utterance(speaker=speaker or None, text=text, at_seconds=at_seconds)


def _seconds(times: re.Match[str]) -> float:
    hours, minutes, seconds, thousandths = (int(number or 0) for number in times.groups())
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000
