"""`make bench-scoring`: texts scored a second on one core, beside WordLlama's own embedding of the same texts.

Each contender runs in a process of its own, pinned to one core, one after the other, three rounds; figures are medians.
Ours does all of it: normalising, language, lexicon, 530 topics, rollup. WordLlama's `embed` makes vectors only.
"""

import gzip
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

import click

TEXTS, AT_ONCE, ROUNDS = 40_000, 4_000, 3
CONTENDERS = ("ours", "wordllama")
# Real texts of about twelve words, where they are at hand.
SETS = ("tune/clinc150", "tune/banking77", "tune/t2i_compbench", "tune/taskmaster", "texts/topicalchat")


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of public sets; without it, our own examples.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("benchmarks/results/scoring.txt"), show_default=True
)
@click.option("--only", type=click.Choice(CONTENDERS), hidden=True)
def main(data: Path | None, out: Path, only: str | None):
    """Time the scorer and its peer side by side; write the report."""
    if only:
        sys.stdout.write(json.dumps(_time(only, _texts(data))))
        return
    found = {name: [] for name in CONTENDERS}
    for _ in range(ROUNDS):
        for name in CONTENDERS:
            found[name].append(_apart(name, data))
    report = _report(found, data)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(report)
    sys.stdout.write(report)


def _apart(name: str, data: Path | None) -> dict:
    """One contender's figures, from a process of its own with one thread on one core."""
    command = [sys.executable, "-m", "benchmarks.scoring", "--only", name]
    one = {
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "RAYON_NUM_THREADS": "1",
    }
    done = subprocess.run(
        command + (["--data", str(data)] if data else []), env={**os.environ, **one}, check=True, capture_output=True
    )
    return json.loads(done.stdout)


def _time(name: str, texts: list[str]) -> dict:
    """Seconds until the first answer, texts a second at first sight and afterwards, and the process's peak MiB."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    begun = time.perf_counter()
    run = _ours() if name == "ours" else _wordllama()
    run(texts[:1])
    start = time.perf_counter() - begun

    def rate() -> float:
        since = time.perf_counter()
        for at in range(0, len(texts), AT_ONCE):
            run(texts[at : at + AT_ONCE])
        return len(texts) / (time.perf_counter() - since)

    cold = rate()
    return {"start": start, "cold": cold, "warm": statistics.median(rate() for _ in range(3)), "peak": _peak_mib()}


def _ours():
    import pyarrow as pa

    from jobs.batch import settings_of
    from jobs.policy import read_policies
    from jobs.scoring.reading import unlabelled
    from jobs.scoring.scorer import Scorer

    pa.set_cpu_count(1)
    scorer = Scorer.cached(settings_of(read_policies()[-1]))
    return lambda texts: scorer.judge(*unlabelled(texts))


def _wordllama():
    from importlib.util import find_spec

    from safetensors.numpy import load_file
    from tokenizers import Tokenizer
    from wordllama.inference import WordLlamaInference

    # Its own loader looks on a hub for the tokenizer that lies beside it.
    folder = Path(find_spec("wordllama").submodule_search_locations[0])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizers" / "l2_supercat_tokenizer_config.json"))
    weights = load_file(str(folder / "weights" / "l2_supercat_256.safetensors"))["embedding.weight"]
    model = WordLlamaInference(weights, tokenizer)
    return lambda texts: model.embed(texts)


def _peak_mib() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def _texts(data: Path | None) -> list[str]:
    """Texts in a fixed random order."""
    if data and data.is_dir():
        found = []
        for name in SETS:
            with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
                found += [json.loads(line)["text"] for line in lines]
    else:
        from jobs.scoring.examples import examples

        found = [text for text, _ in examples()]
    random.Random(1).shuffle(found)
    return found[:TEXTS]


def _report(found: dict[str, list[dict]], data: Path | None) -> str:
    texts = _texts(data)
    words = sum(len(text.split()) for text in texts) / len(texts)
    middle = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in found.items()
    }
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    rows = [
        f"{name:<12}{of['warm']:>14,.0f}{of['cold']:>14,.0f}{of['start']:>12.2f}{of['peak']:>12.0f}"
        for name, of in middle.items()
    ]
    return "\n".join(
        [
            f"scoring, one core, {len(texts):,} texts of {words:.1f} words, median of {ROUNDS} rounds; commit {commit}",
            f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "",
            f"{'':<12}{'texts/s warm':>14}{'at first':>14}{'start s':>12}{'peak MiB':>12}",
            *rows,
            "",
            f"ours / WordLlama's embed: {middle['ours']['warm'] / middle['wordllama']['warm']:.1f} warm, "
            f"{middle['ours']['cold'] / middle['wordllama']['cold']:.1f} at first sight of every word",
            "",
        ]
    )


if __name__ == "__main__":
    main()
