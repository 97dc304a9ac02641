"""What can go wrong, as one line and an exit code each."""

from enum import IntEnum


class Exit(IntEnum):
    """The process's exit codes."""

    DONE = 0
    USAGE = 2
    CONFIGURATION = 3
    INPUT = 4
    GUARD_FAILED = 5
    GUARD_COULD_NOT_RUN = 6
    TABLE = 7
    INTERNAL = 70
    BUSY = 75


class NightjarError(Exception):
    """An end of the run that its user can understand: what happened, to which date, and how to mend it.

    Never built from a row's value: it may name files, fields, policies, tables and counts.
    """

    def __init__(self, code: Exit, what: str, *, fix: str, date=None):
        super().__init__(what)
        self.code, self.what, self.fix, self.date = code, what, fix, date

    def line(self, date=None) -> str:
        """`error[CODE] what; date=…; fix: …`, on one line."""
        text = f"error[{int(self.code)}] {self.what}; date={self.date or date or '-'}; fix: {self.fix}"
        return " ".join(text.split())
