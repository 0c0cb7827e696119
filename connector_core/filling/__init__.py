"""Filling fields of the CRM from what was said in calls: what is asked for, what may be written, and what came of it.

Everything here is pure: no I/O, no clock, no randomness. The work itself is :mod:`connector_core.filler`.
"""
