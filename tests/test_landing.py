"""The landing zone: every name looked at, every line counted, every broken file noticed."""

import gzip
import hashlib
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.errors import Exit, NightjarError
from jobs.landing import landing_dates, list_night, open_lines

DAY = date(2025, 12, 17)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "engagements" / f"date={DAY}").mkdir(parents=True)
    interactions = tmp_path / "interactions" / f"date={DAY}"
    interactions.mkdir(parents=True)
    return interactions


def listed(folder):
    return list_night(str(folder.parent.parent), DAY)


def lines(folder):
    opened = open_lines(listed(folder)[0])
    return list(opened.lines), opened


def test_an_empty_date_folder_is_a_quiet_day_and_a_missing_one_an_error(folder):
    assert listed(folder) == []
    folder.rmdir()
    with pytest.raises(NightjarError) as caught:
        listed(folder)
    assert caught.value.code == Exit.INPUT


def test_a_file_is_named_so_that_a_process_in_another_folder_finds_it(folder, tmp_path, monkeypatch):
    (folder / "part-0.jsonl").write_bytes(b"{}\n")
    monkeypatch.chdir(tmp_path.parent)
    file = list_night(tmp_path.name, DAY)[0]
    monkeypatch.chdir(folder)
    assert list(open_lines(file).lines) == [(1, b"{}")]


@pytest.mark.parametrize("name", ["_tmp.jsonl", ".part.jsonl", "notes.txt", "part.json", "x.jsonl.bz2"])
def test_any_other_name_is_an_error_that_names_it(folder, name):
    (folder / name).write_bytes(b"")
    with pytest.raises(NightjarError, match=name.replace(".", r"\.")):
        listed(folder)


def test_a_subfolder_is_an_error(folder):
    (folder / "more.jsonl").mkdir()
    with pytest.raises(NightjarError):
        listed(folder)


def test_success_markers_and_checksums_are_ignored(folder):
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.jsonl.crc").touch()
    assert listed(folder) == []


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", []), (b"a\nb\n", [b"a", b"b"]), (b"a\nb", [b"a", b"b"]), (b"\n\nx\r\n", [b"", b"", b"x\r"])],
)
def test_lines_are_counted_as_they_stand(folder, data, expected):
    (folder / "a.jsonl").write_bytes(data)
    found, opened = lines(folder)
    assert found == list(enumerate(expected, 1))
    assert (opened.count, opened.error) == (len(expected), None)
    assert opened.sha256 == hashlib.sha256(data).hexdigest()


def test_gzip_of_several_members_is_one_file(folder):
    data = gzip.compress(b"a\n") + gzip.compress(b"b\n")
    (folder / "a.jsonl.gz").write_bytes(data)
    found, opened = lines(folder)
    assert [line for _, line in found] == [b"a", b"b"] and opened.error is None
    assert opened.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("keep", [0, 5, 30, -1, -9])
def test_a_truncated_gzip_is_noticed(folder, keep):
    data = gzip.compress(b"".join(b"line %d\n" % n for n in range(5_000)))
    (folder / "a.jsonl.gz").write_bytes(data[:keep])
    assert lines(folder)[1].error in ("truncated", "corrupt")


def test_a_damaged_gzip_is_noticed(folder):
    data = bytearray(gzip.compress(b"".join(b"line %d\n" % n for n in range(5_000))))
    data[len(data) // 2] ^= 0xFF
    (folder / "a.jsonl.gz").write_bytes(bytes(data))
    assert lines(folder)[1].error == "corrupt"


def test_what_is_no_parquet_is_noticed(folder):
    (folder / "a.parquet").write_bytes(b"PAR1 nonsense PAR1")
    assert lines(folder)[1].error == "corrupt"


def test_parquet_rows_are_the_objects_that_json_would_be(folder):
    at = datetime(2025, 12, 17, 12, tzinfo=UTC)
    pq.write_table(pa.table({"interaction_id": ["i1"], "occurred_at": [at], "text": [None]}), folder / "a.parquet")
    found, opened = lines(folder)
    assert found == [(1, {"interaction_id": "i1", "occurred_at": "2025-12-17T12:00:00Z", "text": None})]
    assert opened.sha256 == hashlib.sha256((folder / "a.parquet").read_bytes()).hexdigest()


def test_landing_dates_are_the_folders_that_are_dates(folder):
    (folder.parent / "date=2025-12-32").mkdir()
    (folder.parent / "other").mkdir()
    assert landing_dates(str(folder.parent.parent)) == [DAY]
