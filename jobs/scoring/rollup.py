"""Rollup: odds of topics as interests, each at the deepest node of the taxonomy that the evidence carries.

A node's share is its own and that of all below it. A tier-1 node whose share reaches the threshold is an interest, and
is named more exactly as long as one child holds at least half of what its parent does.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from jobs.scoring import taxonomy

SCORE_UNIT = 10_000


class Found(NamedTuple):
    """Interests of texts: text, node and share of each, ordered by text, best first; and (N,) how many each text has."""

    row: np.ndarray
    node: np.ndarray
    share: np.ndarray
    count: np.ndarray
    nodes: pa.StringArray

    def keep(self, wanted: np.ndarray) -> pa.ListArray:
        """(topic id, score) lists of the wanted texts, empty ones for the others."""
        kept = wanted[self.row]
        ends = np.concatenate([[0], np.cumsum(np.where(wanted, self.count, 0))])
        topics = pa.StructArray.from_arrays(
            [self.nodes.take(pa.array(self.node[kept])), pa.array(self.share[kept], pa.int32())],
            names=["topic_id", "score"],
        )
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), topics)


class Rollup:
    """Sums over subtrees. Topics come so ordered that every subtree is one slice: a node, then all below it."""

    def __init__(self, topics: tuple[str, ...]):
        lines = [[node.id for node in taxonomy.lineage(topic)] for topic in topics]
        below: dict[str, list[int]] = {}
        for at, line in enumerate(lines):
            for node in line:
                below.setdefault(node, []).append(at)
        nodes = list(below)
        if any(places != list(range(places[0], places[-1] + 1)) for places in below.values()):
            raise ValueError("topics are not in the taxonomy's order")
        slices = {node: (places[0], places[-1] + 1) for node, places in below.items()}
        roots = [node for node in nodes if not taxonomy.nodes()[node].parent]
        self._nodes = pa.array(nodes)
        self._starts = np.array([slices[root][0] for root in roots])
        trees: dict[str, list[int]] = {root: [] for root in roots}
        for number, node in enumerate(nodes):
            trees[taxonomy.lineage(node)[0].id].append(number)
        self._trees = [_Tree(numbers, nodes, slices) for numbers in trees.values()]

    def topics(
        self, odds: np.ndarray, total: np.ndarray, wanted: np.ndarray, *, threshold: int, most_topics: int
    ) -> Found:
        """The interests of the wanted texts, `most_topics` at most; `threshold` in 1/10,000 of the text's total odds."""
        rows = np.flatnonzero(wanted)
        tier_1 = np.add.reduceat(odds[rows], self._starts, axis=1).astype(np.float64)
        enough = tier_1 * SCORE_UNIT >= (total[rows] * threshold)[:, None]
        parts = [np.zeros((3, 0), dtype=np.int64)]
        for number in np.flatnonzero(enough.any(axis=0)):
            of = rows[enough[:, number]]
            node, sums = self._trees[number].deepest(odds[of])
            parts.append(np.stack([of, node, (sums * SCORE_UNIT // total[of]).astype(np.int64)]))
        row, node, share = np.concatenate(parts, axis=1)
        order = np.lexsort((node, -share, row))
        row, node, share = row[order], node[order], share[order]
        best = np.arange(len(row)) - np.searchsorted(row, row) < most_topics
        row, node, share = row[best], node[best], share[best]
        return Found(row, node, share, np.bincount(row, minlength=len(odds)), self._nodes)


class _Tree:
    """One tier-1 node and all below it."""

    def __init__(self, numbers: list[int], nodes: list[str], slices: dict[str, tuple[int, int]]):
        own = [nodes[number] for number in numbers]  # the tier-1 node first
        self._numbers = np.array(numbers)
        self._first, self._last = slices[own[0]]
        self._starts, self._ends = np.array([slices[node] for node in own]).T - self._first
        self._child = np.array([[taxonomy.nodes()[one].parent == other for one in own] for other in own])

    def deepest(self, odds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(texts,) the node to name each text's interest by, and the odds of it with all below."""
        sums = np.zeros((len(odds), self._last - self._first + 1))
        np.cumsum(odds[:, self._first : self._last], axis=1, dtype=np.float64, out=sums[:, 1:])
        sums = sums[:, self._ends] - sums[:, self._starts]
        rows, at = np.arange(len(odds)), np.zeros(len(odds), dtype=np.int64)
        while True:
            below = np.where(self._child[at], sums, -1)
            child = below.argmax(axis=1)
            goes_on = below[rows, child] * 2 >= sums[rows, at]
            if not goes_on.any():
                return self._numbers[at], sums[rows, at]
            at = np.where(goes_on, child, at)
