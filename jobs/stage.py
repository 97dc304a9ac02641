"""Stage: which contracts it reads, one pure function, which contract it gives. Data, so that the runner can guard it."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame

from schemas.contract import Contract


@dataclass(frozen=True)
class Stage:
    """One step of the night.

    `transform` takes frames as its positional parameters and plain values of the night as its keyword-only ones, all
    by name; it returns a frame of the contract that it gives, and does nothing else.

    A frame in flight that several others are made of is `kept` in memory until they are: always, or where the set that
    its lines meet (a contract that it reads) is too large to be brought to them, so that each of the others would move
    them again. One that is `counted` is computed at once: lines, for what is made of them may need none of them, and then
    they would go unmeasured; a small set, so that the rest is planned by its size, and no line is moved to meet it.
    """

    name: str
    reads: tuple[Contract, ...]
    transform: Callable[..., DataFrame]
    gives: Contract
    kept: bool | Contract = False
    counted: bool = False
