"""Taking up a lake: what comes before anything else is written, whatever became of those who wrote last."""

from jobs.erase import due, erase, finish_unfinished
from jobs.lake import Lake
from jobs.night import Setting
from jobs.reference import list_all, read_reference
from schemas.reference import ERASURES


def take_up(lake: Lake, setting: Setting) -> None:
    """Bring a lake to where it should be: erasures finished first, for behind them nothing goes back, killed runs taken back."""
    finish_unfinished(lake, setting)
    lake.restore(lake.last_run())
    lake.forget_history()


def answer_requests(lake: Lake, setting: Setting) -> None:
    """Erase whom the landing zone asks for and no tombstone answers yet. The lake is taken up."""
    files = list_all(setting.landing)[ERASURES]
    if files:
        erasures, _ = read_reference(setting.spark, ERASURES, files, setting.key)
        asked = due(lake, setting.key, erasures)
        if asked:
            erase(lake, setting, asked)
