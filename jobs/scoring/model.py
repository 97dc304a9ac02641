"""Model: everything that scoring has learned, in one file without code: word pieces, projection, network and lexicon.

All of it is whole numbers, and every product and sum of them that scoring makes stays below 2^24 (float32) or 2^53
(float64), where floating point is exact in any order. So a text's answer depends on the text alone: not on its batch,
the number of threads, the processor or the library underneath.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from jobs.errors import Exit, NightjarError
from jobs.scoring.lexicon import Lexicon

DEFAULT = Path(__file__).parent.parent.parent / "build" / "model.safetensors"
NEITHER = "neither"
# Size of an entry of a projected word (a sum of 8,192 of them stays exact), of a hidden unit, of a weight.
WORD_LIMIT, HIDDEN_LIMIT, WEIGHT_LIMIT = 2_047, 255, 127
# A hidden unit's value of 1.0.
HIDDEN_UNIT = 32
# e^0 in the table of odds: a sum over classes stays below 2^24, so float32 adds them exactly in any order.
ODDS_UNIT = 16_384
PIECES = ("llama_pieces", "minilm_pieces")
NETWORKS = ("topics", "screen")
LAYERS = ("projection", "hidden_bias", "weights", "bias", "odds", "word_unit")
TEXTS = ("classes", "llama_tokenizer", "minilm_tokenizer", "lexicon_words", "lexicon_endings", "lexicon_not_endings")
LEXICON_TENSORS = ("edges", "following", "bits", "harmless")


@dataclass(frozen=True)
class Layers:
    """A network: one hidden layer over a sum of projected words, then softmax.

    projection: (640, H) int16: a word is its two mean piece vectors times this, in 1/word_unit (one number).
    hidden_bias: (H,) in 1/HIDDEN_UNIT; weights: (H, K) int8; bias: (K,), and logits, in some unit; odds: (D,) of a class
    whose logit is d such units below the largest, ODDS_UNIT for d = 0, of D units or more 0.
    """

    projection: np.ndarray
    hidden_bias: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    odds: np.ndarray
    word_unit: np.ndarray


@dataclass(frozen=True)
class Model:
    """Two networks that share their words' vectors, and the lexicon.

    topics: judges a whole text; its classes are interests, sensitive categories and neither. screen: a smaller one that
    judges every few words of it; its classes are the sensitive categories and harmless.
    classes: names of those of topics: topic ids, then the categories, then NEITHER.
    llama_pieces, minilm_pieces: (pieces, 256) and (pieces, 384) int8, vectors of the two tokenizers' word pieces;
    tokenizers: their JSON.
    """

    classes: tuple[str, ...]
    llama_pieces: np.ndarray
    minilm_pieces: np.ndarray
    topics: Layers
    screen: Layers
    tokenizers: tuple[str, str]
    lexicon: Lexicon
    digest: str = ""


def write_model(file: Path, model: Model) -> str:
    """Write a model file whole or not at all; its digest."""
    lexicon = model.lexicon
    texts = {
        "classes": "\n".join(model.classes),
        "llama_tokenizer": model.tokenizers[0],
        "minilm_tokenizer": model.tokenizers[1],
        "lexicon_words": "\n".join(lexicon.words),
        "lexicon_endings": "\n".join(f"{bit} {ending}" for ending, bit in lexicon.endings),
        "lexicon_not_endings": "\n".join(sorted(lexicon.not_endings)),
    }
    tensors = {name: getattr(model, name) for name in PIECES}
    tensors |= {f"{of}_{name}": getattr(getattr(model, of), name) for of in NETWORKS for name in LAYERS}
    tensors |= {f"lexicon_{name}": getattr(lexicon, name) for name in LEXICON_TENSORS}
    tensors |= {name: np.frombuffer(text.encode(), dtype=np.uint8) for name, text in texts.items()}
    data = save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    part.write_bytes(data)
    part.replace(file)
    return hashlib.sha256(data).hexdigest()


def read_model(file: Path) -> Model:
    """The model of a file; NightjarError(CONFIGURATION) where there is none, or it isn't one."""
    digest = model_digest(file)
    try:
        with safe_open(str(file), framework="np") as tensors:
            found = {name: tensors.get_tensor(name) for name in tensors.keys()}
        texts = {name: found[name].tobytes().decode() for name in TEXTS}
        endings = (line.split(" ", 1) for line in texts["lexicon_endings"].split("\n"))
        lexicon = Lexicon(
            words=tuple(texts["lexicon_words"].split("\n")),
            endings=tuple((ending, int(bit)) for bit, ending in endings),
            not_endings=frozenset(texts["lexicon_not_endings"].split("\n")),
            **{name: found[f"lexicon_{name}"] for name in LEXICON_TENSORS},
        )
        return Model(
            classes=tuple(texts["classes"].split("\n")),
            tokenizers=(texts["llama_tokenizer"], texts["minilm_tokenizer"]),
            lexicon=lexicon,
            digest=digest,
            **{of: Layers(**{name: found[f"{of}_{name}"] for name in LAYERS}) for of in NETWORKS},
            **{name: found[name] for name in PIECES},
        )
    except Exception as error:
        raise NightjarError(
            Exit.CONFIGURATION, f"the scoring model can't be read ({type(error).__name__})", fix="make model"
        ) from None


def model_digest(file: Path) -> str:
    """SHA-256 of a model file; NightjarError(CONFIGURATION) where there is none."""
    try:
        with open(file, "rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except FileNotFoundError:
        raise NightjarError(Exit.CONFIGURATION, "there is no scoring model", fix="make model") from None
