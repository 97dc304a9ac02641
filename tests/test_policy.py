"""Policy: anything doubtful in a policy file is an error that names the file and the key."""

from datetime import date

import pytest
import yaml

from jobs.errors import Exit, NightjarError
from jobs.policy import BUILT_IN, policy_on, read_policies

BASE = yaml.safe_load((BUILT_IN / "2025-10-07.yaml").read_text())


def folder(tmp_path, *versions):
    for at, version in enumerate(versions):
        (tmp_path / f"v{at}.yaml").write_text(version if isinstance(version, str) else yaml.safe_dump(version))
    return tmp_path


def complaint(path):
    with pytest.raises(NightjarError) as caught:
        read_policies(path)
    assert caught.value.code == Exit.CONFIGURATION
    return caught.value.what


def without(mapping, key):
    return {name: value for name, value in mapping.items() if name != key}


def test_the_built_in_policy_says_what_was_announced():
    policy = read_policies()[0]
    assert policy.effective_from.isoformat() == "2025-12-16T12:00:00+00:00"
    assert len(policy.regions.announced) == 29 and len(policy.regions.excluded) == 44


@pytest.mark.parametrize(
    ("version", "named"),
    [
        ({**BASE, "surprise": 1}, "surprise"),
        (without(BASE, "lateness_days"), "lateness_days"),
        ({**BASE, "lateness_days": "7"}, "lateness_days"),
        ({**BASE, "weights": without(BASE["weights"], "chat")}, "weights.chat"),
        ({**BASE, "sensitive_thresholds": without(BASE["sensitive_thresholds"], "religion")}, "religion"),
        ({**BASE, "sensitive_thresholds": {**BASE["sensitive_thresholds"], "shoes": 5}}, "shoes"),
        ({**BASE, "regions": {**BASE["regions"], "announced": ["XX"]}}, "XX"),
        ({**BASE, "half_life_days": 3}, "half_life_days"),
        ({**BASE, "effective_from": "2025-12-16T12:00:00"}, "effective_from"),
        ((BUILT_IN / "2025-10-07.yaml").read_text() + "lateness_days: 8\n", "lateness_days"),
        ("version: [", "v0.yaml"),
    ],
)
def test_a_wrong_policy_is_named_with_its_key(tmp_path, version, named):
    what = complaint(folder(tmp_path, version))
    assert named in what and "v0.yaml" in what


@pytest.mark.parametrize(
    ("until", "since", "named"),
    [("2026-01-01", "2026-02-01", "gap"), ("2026-02-01", "2026-01-01", "overlap"), (None, "2026-01-01", "overlap")],
)
def test_versions_neither_leave_a_gap_nor_overlap(tmp_path, until, since, named):
    first, second = {**BASE, "valid_to": until}, {**BASE, "version": "next", "valid_from": since}
    assert named in complaint(folder(tmp_path, first, second))


def test_each_date_has_its_version(tmp_path):
    first, second = {**BASE, "valid_to": "2026-01-01"}, {**BASE, "version": "next", "valid_from": "2026-01-01"}
    policies = read_policies(folder(tmp_path, first, second))
    assert policy_on(policies, date(2025, 12, 31)).version == BASE["version"]
    assert policy_on(policies, date(2026, 1, 1)).version == "next"
    with pytest.raises(NightjarError):
        policy_on(policies, date(2025, 10, 6))


def test_the_digest_follows_the_rules_not_their_layout(tmp_path):
    assert read_policies(folder(tmp_path, BASE))[0].digest == read_policies()[0].digest
