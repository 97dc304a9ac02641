"""The lake's tables, by name."""

from schemas.accesses import ACCESSES
from schemas.activations import ACTIVATIONS
from schemas.arrivals import ARRIVALS
from schemas.outcomes import OUTCOME_COUNTS
from schemas.profile_deltas import PROFILE_DELTAS
from schemas.profiles import PROFILES
from schemas.rejects import REJECTS
from schemas.runs import RUNS
from schemas.segment_members import SEGMENT_MEMBERS
from schemas.segments import SEGMENTS
from schemas.signal_accounts import SIGNAL_ACCOUNTS
from schemas.signals import SIGNALS
from schemas.tombstones import TOMBSTONES

# Those that a run publishes; `runs` itself comes last and makes them visible.
PUBLISHED = (
    *(REJECTS, OUTCOME_COUNTS, ARRIVALS, SIGNALS),
    *(PROFILES, PROFILE_DELTAS, SIGNAL_ACCOUNTS, SEGMENT_MEMBERS, SEGMENTS, ACTIVATIONS),
)
TABLES = {contract.name: contract for contract in (*PUBLISHED, RUNS, ACCESSES, TOMBSTONES)}
