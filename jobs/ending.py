"""Ending: every end of a command is an exit code, and every bad end one line on stderr."""

import gc
import sys
from pathlib import Path

import click

from jobs.errors import Exit, NightjarError


def run_to_end(group: click.Group) -> None:
    """Run the command that was given, and exit."""
    try:
        group.main(standalone_mode=False)
        code = Exit.DONE
    except NightjarError as error:
        code = _fail(error)
    except click.UsageError as error:
        code = _fail(NightjarError(Exit.USAGE, error.format_message(), fix="nightjar --help"))
    except (click.Abort, KeyboardInterrupt):
        code = _fail(NightjarError(Exit.INTERNAL, "interrupted", fix="rerun; nothing was published"))
    except Exception as error:
        code = _fail(_internal(error))
    sys.stdout.flush()
    # Else Python, as it ends, looks for garbage in all that was ever imported: half a second.
    gc.freeze()
    sys.exit(int(code))


def _internal(error: Exception) -> NightjarError:
    """Type and place of what was not foreseen: a message may quote a row."""
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return NightjarError(
        Exit.INTERNAL, f"unexpected {type(error).__name__} at {place}", fix="rerun; if it stays, report this line"
    )


def _fail(error: NightjarError) -> Exit:
    click.echo(error.line(), err=True)
    return error.code
