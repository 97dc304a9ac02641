"""Benchmarks: how fast we are, side by side with peers in one run. Tests never assert on time; these measure it."""
