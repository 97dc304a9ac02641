"""Score: read the text of admitted lines, the second and last time, and ask the scorer; the text stays in the worker."""

import msgspec
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.ingest import spread
from jobs.landing import LandingFile, open_lines
from jobs.scoring.scorer import Scorer, Settings
from jobs.session import tasks_at_once
from jobs.stage import Stage
from jobs.whole import keep_whole
from jobs.workers import InputChanged, value_free
from schemas.lines import ADMITTED, DIVIDED, SCORED


def score(
    admitted: DataFrame, divided: DataFrame, *, files: list[LandingFile], digests: dict[int, str], settings: Settings
) -> DataFrame:
    """One row per raw line; an admitted one with its `verdict`, its `topics` and the `categories` it shows signs of.

    `digests` are the files' SHA-256 as first read, by index: a file that reads otherwise now stops the night. A line that
    is stopped goes by: it is neither moved nor shown to Python.
    """
    whole = keep_whole(admitted, divided)
    stopped = whole.where("outcome is not null").select(
        *ADMITTED.names,
        F.lit(None).cast("string").alias("verdict"),
        F.array().cast(SCORED.schema["topics"].dataType).alias("topics"),
        F.lit(0).alias("categories"),
    )
    tasks = spread(files, tasks_at_once(whole.sparkSession))
    task = F.get(F.array(*(F.lit(tasks[file.index]) for file in files)), F.col("file"))
    ordered = (
        whole.where("outcome is null")
        .repartitionById(max(1, len(set(tasks.values()))), task)
        .sortWithinPartitions("file", "position")
    )

    @value_free
    def judge(batches):
        import pyarrow as pa
        from pyspark.sql.pandas.types import to_arrow_schema

        scorer, schema, reader = Scorer.cached(settings), to_arrow_schema(SCORED.schema), _Reader(files, digests)
        for batch in batches:
            items = list(reader.items(batch.column("file").to_pylist(), batch.column("position").to_pylist()))
            verdicts = scorer.judge(pa.array([text for text, _ in items], pa.string()), [names for _, names in items])
            found = {name: getattr(verdicts, name) for name in ("verdict", "topics", "categories")}
            columns = [found[name] if name in found else batch.column(name) for name in SCORED.names]
            yield pa.RecordBatch.from_arrays(
                [c.cast(f.type) for c, f in zip(columns, schema, strict=True)], schema=schema
            )
        reader.close()

    return stopped.unionByName(ordered.mapInArrow(judge, SCORED.schema)).select(SCORED.names)


class _Reader:
    """Texts by file and position, files one after the other, each read to its end and compared with its digest."""

    def __init__(self, files: list[LandingFile], digests: dict[int, str]):
        self.files, self.digests, self.file, self.opened = files, digests, None, None

    def items(self, files: list[int], positions: list[int]):
        """(text, label names) of each wanted line, in order."""
        for file, position in zip(files, positions, strict=True):
            if file != self.file:
                self.close()
                self.file, self.opened = file, open_lines(self.files[file])
            for at, raw in self.opened.lines:
                if at == position:
                    yield _text(self.files[file].source, raw)
                    break
            else:
                raise InputChanged(self.file)

    def close(self):
        if self.opened is None:
            return
        for _ in self.opened.lines:
            pass
        if self.opened.error or self.opened.sha256 != self.digests[self.file]:
            raise InputChanged(self.file)
        self.file = self.opened = None


class _Label(msgspec.Struct):
    name: str


class _Interaction(msgspec.Struct):
    text: str | None = None
    labels: list[_Label] | None = None


class _Engagement(msgspec.Struct):
    target_text: str


# A line that is admitted was decoded strictly when it was first read: now only what is scored of it is looked at.
_OF = {"interactions": _Interaction, "engagements": _Engagement}
_DECODERS = {source: msgspec.json.Decoder(kind) for source, kind in _OF.items()}


def _text(source: str, raw: bytes | dict) -> tuple[str | None, list[str]]:
    """A line's text and label names, from the fields that its source's contract names: unknown keys are ignored."""
    item = _DECODERS[source].decode(raw) if isinstance(raw, bytes) else msgspec.convert(raw, _OF[source])
    if source == "engagements":
        return item.target_text, []
    return item.text, [label.name for label in item.labels or ()]


STAGE = Stage("score", reads=(ADMITTED, DIVIDED), transform=score, gives=SCORED, kept=True, counted=True)
