"""Model: the trained classes and their whole-number weights, in one file without code."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from jobs.errors import Exit, NightjarError

DEFAULT = Path(__file__).parent.parent.parent / "build" / "model.safetensors"
# A logit is a whole number of 1/LOGIT_UNIT.
LOGIT_UNIT = 256
NEITHER = "neither"


@dataclass(frozen=True)
class Model:
    """Softmax over interests, sensitive categories and neither.

    classes: (K,) names: topic ids, then the categories, then NEITHER; weights: (DIMENSIONS, K) and bias: (K,), whole.
    A logit is (x · weights) / TEXT_UNIT + bias for a text's unit vector x, floored, in 1/LOGIT_UNIT.
    """

    classes: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray
    digest: str


def write_model(file: Path, classes: list[str], weights: np.ndarray, bias: np.ndarray) -> str:
    """Write a model file whole or not at all; its digest."""
    data = save({"weights": weights.astype(np.int32), "bias": bias.astype(np.int32)}, {"classes": "\n".join(classes)})
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    part.write_bytes(data)
    part.replace(file)
    return hashlib.sha256(data).hexdigest()


def read_model(file: Path) -> Model:
    """The model of a file; NightjarError(CONFIGURATION) where there is none, or it isn't one."""
    try:
        digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        with safe_open(str(file), framework="np") as tensors:
            classes = tuple(tensors.metadata()["classes"].split("\n"))
            weights, bias = tensors.get_tensor("weights"), tensors.get_tensor("bias")
    except FileNotFoundError:
        raise NightjarError(Exit.CONFIGURATION, "there is no scoring model", fix="make model") from None
    except Exception as error:
        raise NightjarError(
            Exit.CONFIGURATION, f"the scoring model can't be read ({type(error).__name__})", fix="make model"
        ) from None
    return Model(classes, weights.astype(np.float64), bias.astype(np.float64), digest)
