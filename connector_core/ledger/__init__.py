"""The ledger: the truth of what was accepted, decided, sent and confirmed."""
