"""What was said in a meeting: WebVTT, as Teams writes it, the speaker in a voice tag."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterable, Iterator, Sequence

from pydantic import Field

from connector_core.model import Utterance
from connector_core.providers.bodies import Sent
from connector_core.providers.parts import Part
from connector_microsoft_teams.notifications import TRANSCRIPT
from connector_microsoft_teams.records import GraphTime, Record, Text, part

_TIMES = re.compile(r"(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)[.,](\d{3})[ \t]+-->")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?[ \t]+([^>]+)>(.*?)(?=<v[ .\t]|\Z)", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_SLACK = dt.timedelta(minutes=1)


class Transcript(Sent):
    """A transcript; a meeting has one for each time that transcription was switched on.

    ``callId`` is taken to be the id of the call record. ``createdDateTime`` is taken to be when transcription began.
    """

    id: str = Field(min_length=1)
    callId: Text = None  # noqa: N815 - as Graph writes it
    createdDateTime: GraphTime  # noqa: N815 - as Graph writes it


def of_record(transcripts: Iterable[Transcript], record: Record) -> list[Transcript]:
    """Give the transcripts of a call, the first first: those that name it, else those that were begun during it."""
    during = (record.startDateTime - _SLACK, record.endDateTime)
    mine = [
        it
        for it in transcripts
        if (it.callId.lower() == record.id.lower() if it.callId else during[0] <= it.createdDateTime <= during[1])
    ]
    return sorted(mine, key=lambda it: it.createdDateTime)


def told(record: Record, transcripts: Sequence[Transcript], said: Sequence[Utterance]) -> Part:
    """Say what was said.

    :raises InputError: It cannot be.
    """
    revision = max(it.createdDateTime.timestamp() for it in transcripts)
    return part(record.id.lower(), TRANSCRIPT, revision, kind="meeting", transcript=tuple(said))


def read_vtt(text: str, offset_seconds: float = 0.0) -> Iterator[Utterance]:
    """Read the cues.

    :param offset_seconds: From the start of the call to the start of the transcript.
    """
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip().split("\n")
        for place, line in enumerate(lines):
            if times := _TIMES.match(line.strip()):
                yield from _utterances("\n".join(lines[place + 1 :]), max(0.0, offset_seconds + _seconds(times)))
                break


def _utterances(cue: str, at_seconds: float) -> Iterator[Utterance]:
    for speaker, said in _VOICE.findall(cue) or [("", cue)]:
        text = " ".join(html.unescape(_TAG.sub("", said)).split())
        if text:
            yield Utterance(speaker=html.unescape(speaker).strip() or None, text=text, at_seconds=at_seconds)


def _seconds(times: re.Match[str]) -> float:
    hours, minutes, seconds, thousandths = (int(number or 0) for number in times.groups())
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000
