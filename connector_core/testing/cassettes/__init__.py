"""Recorded traffic of CRMs: recorded once, reviewed as text, replayed strictly. Needs the extra ``testing``."""

from connector_core.testing.cassettes.exchange import CassetteError, Provenance, Tape
from connector_core.testing.cassettes.replay import recording, replaying, sabotaged

__all__ = ["CassetteError", "Provenance", "Tape", "recording", "replaying", "sabotaged"]
