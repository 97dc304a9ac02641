"""Erasing from the command line: ids read from a file or stdin, never from arguments; the lake held, and taken up first."""

import sys
from pathlib import Path

from jobs.errors import Exit, NightjarError


def erase_people(lake: str, key: bytes, policies: list, file: str | None):
    """Erase the profiles whose ids are read, as of now."""
    from jobs.lock import hold

    ids = _ids(file)
    with hold(Path(lake)) as lock:
        from jobs.erase import erase
        from jobs.lake import Lake, now
        from jobs.night import Setting
        from jobs.people import record_access
        from jobs.scoring.model import DEFAULT
        from jobs.session import jvm_pid, start
        from jobs.taking_up import take_up

        opened = Lake(start(), Path(lake))
        setting = Setting(opened.spark, None, policies, key, DEFAULT)
        lock.name_jvm(jvm_pid(opened.spark))
        opened.log.create()
        take_up(opened, setting)
        record_access(opened, "erase", ids, key)
        at = now()
        return erase(opened, setting, [(one, at) for one in ids])


def check_receipt(lake: str, key: bytes, receipt: str):
    """Search again for the people of a receipt."""
    from jobs.erase import still_gone
    from jobs.lake import Lake
    from jobs.session import start

    return still_gone(Lake(start(), Path(lake)), key, Path(receipt))


def _ids(file: str | None) -> list[str]:
    try:
        raw = Path(file).read_bytes() if file else sys.stdin.buffer.read()
        ids = dict.fromkeys(line.strip() for line in raw.decode().splitlines())
    except OSError as error:
        raise NightjarError(
            Exit.INPUT, f"{Path(file).name} can't be read ({error.strerror})", fix="check --from"
        ) from None
    except UnicodeDecodeError:
        raise NightjarError(Exit.INPUT, "the ids are not UTF-8", fix="give one profile id a line") from None
    ids.pop("", None)
    if not ids:
        raise NightjarError(Exit.INPUT, "no profile id was given", fix="give one profile id a line")
    return list(ids)
