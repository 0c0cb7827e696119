"""Recorded traffic of CRMs: recorded once, reviewed as text, replayed strictly. Needs the extra ``testing``.

``cassettes/README.md`` says what a cassette is, how to record one, and how to read a failure.
"""

from connector_core.testing.cassettes.consistency import inconsistencies
from connector_core.testing.cassettes.drift import Difference, drift
from connector_core.testing.cassettes.exchange import CassetteError, Provenance, Tape
from connector_core.testing.cassettes.faulty import Fault, ReplayServer, replay_server
from connector_core.testing.cassettes.form import read
from connector_core.testing.cassettes.library import Orphans, cassette_path, orphans, provenance, recorded
from connector_core.testing.cassettes.replay import recording, replaying, sabotaged
from connector_core.testing.cassettes.scan import scan

__all__ = [
    "CassetteError",
    "Difference",
    "Fault",
    "Orphans",
    "Provenance",
    "ReplayServer",
    "Tape",
    "cassette_path",
    "drift",
    "inconsistencies",
    "orphans",
    "provenance",
    "read",
    "recorded",
    "recording",
    "replay_server",
    "replaying",
    "sabotaged",
    "scan",
]
