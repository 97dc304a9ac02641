"""Contract: what a row of a frame is, which columns it has, and which rules every row obeys."""

from dataclasses import dataclass

from pyspark.sql import types as T

TEXT, LONG, INT, DAY, TIME = T.StringType(), T.LongType(), T.IntegerType(), T.DateType(), T.TimestampType()
DIGEST, FLAG, AMOUNT = T.BinaryType(), T.BooleanType(), T.DecimalType(38, 0)
TEXTS = T.ArrayType(T.StringType())


@dataclass(frozen=True)
class Column:
    """A column: its name, Spark type, meaning, and whether a row may lack it."""

    name: str
    type: T.DataType
    meaning: str
    nullable: bool = False


def column(name: str, type: T.DataType, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name, type, meaning, nullable)


@dataclass(frozen=True)
class Rule:
    """A condition in Spark SQL that is true of every row; one that is false or null breaks the contract."""

    name: str
    condition: str
    meaning: str


@dataclass(frozen=True)
class Contract:
    """What one kind of frame promises. A stored one is a Delta table of the lake; any other is never written.

    `write` says how a run publishes a stored one: `replace` its landing date, `overwrite` all of it, `merge` by key, or
    `append`. One without `history` keeps no older version to read.

    `statistics` lists the columns whose minimum and maximum Delta may write, in clear, into its log. They outlive a
    deletion, so no column that says something of a person is ever among them.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    write: str | None = None
    partition_by: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()
    change_feed: bool = False
    history: bool = True
    retention: str = "never stored"
    readers: str = "nobody: in flight"

    def __post_init__(self):
        unknown = {*self.key, *self.partition_by, *self.statistics} - set(self.names)
        if unknown:
            raise ValueError(f"contract {self.name} names columns it does not have: {sorted(unknown)}")

    @property
    def stored(self) -> bool:
        return self.write is not None

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def schema(self) -> T.StructType:
        """The Spark schema, columns in order."""
        return T.StructType([T.StructField(c.name, c.type, c.nullable) for c in self.columns])

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The contract's own rules after those that its columns imply: a column that may not be null never is."""
        required = tuple(
            Rule(f"{c.name}_present", f"{c.name} is not null", f"{c.name} is never null")
            for c in self.columns
            if not c.nullable
        )
        return required + self.rules

    def with_columns(
        self, name: str, row: str, *columns: Column, without: tuple[str, ...] = (), rules=()
    ) -> "Contract":
        """The in-flight contract of the next stage: these columns, less some, and more."""
        kept = tuple(c for c in self.columns if c.name not in {*without, *(c.name for c in columns)})
        return Contract(name=name, row=row, columns=kept + columns, key=self.key, rules=tuple(rules))


def one_of(column: str, values) -> str:
    """The SQL condition that a column holds one of some words of ours."""
    return f"{column} in ({', '.join(repr(value) for value in values)})"
