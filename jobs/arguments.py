"""Arguments: the types and options that several commands share."""

from datetime import date, timedelta

import click


class Day(click.ParamType):
    """An ISO date, exactly YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value, param, ctx):
        try:
            day = value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            day = None
        if day is None or str(day) != str(value):
            self.fail("is no date of the form YYYY-MM-DD", param, ctx)
        return day


class Age(click.ParamType):
    """A number of hours, days or minutes: 26h, 2d, 90m."""

    name = "26h"
    units = {"m": "minutes", "h": "hours", "d": "days"}

    def convert(self, value, param, ctx):
        if value[:-1].isdigit() and value[-1:] in self.units:
            return timedelta(**{self.units[value[-1]]: int(value[:-1])})
        self.fail("is no age such as 26h, 2d or 90m", param, ctx)


def lake_options(command):
    command = click.option("--lake", envvar="NIGHTJAR_LAKE", required=True, help="Folder of the lake.")(command)
    return click.option(
        "--key-file", envvar="NIGHTJAR_KEY_FILE", help="The digest key; LAKE.key beside the lake by default."
    )(command)


def landing_option(command):
    return click.option("--landing", envvar="NIGHTJAR_LANDING", required=True, help="The landing zone.")(command)


def policy_option(command):
    return click.option("--policy", help="A folder of policy versions; the built-in one by default.")(command)


def range_options(command):
    command = click.option("--to", "last", type=Day(), required=True, help="Last landing date.")(command)
    return click.option("--from", "first", type=Day(), required=True, help="First landing date.")(command)


def json_option(command):
    return click.option("--json", "as_json", is_flag=True, help="Machine-readable.")(command)
