"""Evaluation: how the scorer does on labelled sets, public ones where they are at hand and our own held-out ones."""
