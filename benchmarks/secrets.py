"""How many secrets of kinds the rules were not written for are found, by our rules alone and with the extra `redact`.

    PYTHONPATH=src:. python benchmarks/secrets.py [--missed]

Three sets: the kinds the rules were written for, every third kind that was held out meanwhile, and the kinds of
`tests/log/secrets_outside.py`, in the places where they really occur. Beside them the false hits: the standard library's code.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

from tests.log.secrets_labelled import HELD_OUT, core, harmless, kinds, places
from tests.log.secrets_outside import texts

from session_memory.actions import scanner
from session_memory.log.redact import Redactor

Case = tuple[str, str, str]  # kind, secret, text
SEEDS = range(21, 26)  # the figures are means over several draws


def labelled(held_out: bool) -> list[Case]:
    """The cases of the labelled set: those that were looked at, or those that were held out."""
    return [
        (kind, core(value), text)
        for number, (kind, value) in enumerate(kinds().items())
        if (number % HELD_OUT == HELD_OUT - 1) == held_out
        for text in places(value).values()
    ]


def recall(redactor: Redactor, cases: list[Case]) -> tuple[float, list[str]]:
    """The share of the cases whose secret is gone, and those in which it is not."""
    missed = [f"{kind}: {text[:90]!r}" for kind, secret, text in cases if secret in redactor.redact_text(text)[0]]
    return 1 - len(missed) / len(cases), missed


def false_hits(redactor: Redactor) -> tuple[int, int]:
    """Lines of ordinary code, and how often something in them was taken for a secret."""
    lines = hits = 0
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))[:90]:
        text = path.read_text(encoding="utf-8", errors="replace")
        lines += text.count("\n")
        hits += redactor.redact_text(text)[1]
    return lines, hits


def main(words: list[str]) -> None:
    """Print the table; with --missed also what was not found."""
    found = scanner.load()
    ways = {"our rules": Redactor(b"k" * 32)}
    if found is None:
        print("the extra `redact` is not installed: its column is left out")
    else:
        ways["with `redact`"] = Redactor(b"k" * 32, scanner=found)
    outside = [case for seed in SEEDS for case in texts(seed)]
    sets = {"written for": labelled(False), "held out": labelled(True), "outside": outside}
    for way, redactor in ways.items():
        told = {name: recall(redactor, cases) for name, cases in sets.items()}
        lines, hits = false_hits(redactor)
        harm = sum(redactor.redact_text(text)[1] for text in harmless())
        print(f"{way}: " + ", ".join(f"{name} {share:.3f} of {len(sets[name])}" for name, (share, _missed) in told.items())
              + f"; {hits} hits in {lines:,} lines of code, {harm} in {len(harmless())} hard harmless lines")  # fmt: skip
        if "--missed" in words:
            for name, (_share, missed) in told.items():
                for each in dict.fromkeys(one.partition(": ")[0] for one in missed):
                    print(f"  missed, {name}: {each}: {sum(one.startswith(each + ': ') for one in missed)}")


if __name__ == "__main__":
    main(sys.argv[1:])
