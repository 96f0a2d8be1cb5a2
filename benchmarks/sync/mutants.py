"""Rules of sync broken on purpose, one at a time, in a copy of the sources: each must be noticed by the tests of sync.

    python benchmarks/sync/mutants.py [words of a name ...]

First the directed tests run, then, for one that they let pass, random histories (SESSION_MEMORY_SYNC_FUZZ of them, 60 by default).
Exit status 1 when one survives. About fifteen minutes on two cores for all of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
DIRECTED = ["tests/sync/test_exchange.py", "tests/sync/test_remote_contract.py", "tests/sync/test_seal.py", "tests/sync/test_keys.py",
            "tests/log/test_foreign.py", "tests/log/test_extent.py"]  # fmt: skip
HISTORIES = os.environ.get("SESSION_MEMORY_SYNC_FUZZ") or "60"
PULL, PUSH, FOLDER, SEAL = "sync/pulling.py", "sync/pushing.py", "sync/folder.py", "sync/seal.py"
FOREIGN, FORGOTTEN = "log/foreign.py", "log/forgotten.py"


class Mutant(NamedTuple):
    """`old` stands once in the file; it becomes `new`."""

    name: str
    file: str
    old: str
    new: str


MUTANTS = [
    # of sync.md's list
    Mutant("no guard at all", FOLDER, "WHERE coalesce((SELECT max(hi) FROM segment WHERE origin = ?1), 0) = ?2 - 1\nAND coalesce", "WHERE 1 OR coalesce"),
    Mutant("insert or replace", FOLDER, "INSERT INTO segment SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9\nWHERE", "INSERT OR REPLACE INTO segment SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9\nWHERE 1 OR"),
    Mutant("no chain in the guard", FOLDER, "\nAND coalesce((SELECT chain FROM segment WHERE origin = ?1 ORDER BY lo DESC LIMIT 1), ?10) = ?5", "\nAND ?10 <> ?5 || 'x'"),
    Mutant("no number in the guard", FOLDER, "WHERE coalesce((SELECT max(hi) FROM segment WHERE origin = ?1), 0) = ?2 - 1\nAND", "WHERE"),
    Mutant("a parted log drops its tail", FOREIGN, "each.kind != ORIGIN and each.id not in elsewhere]", "each.kind == ORIGIN]"),
    Mutant("known ids move again", FOREIGN, "each.kind != ORIGIN and each.id not in elsewhere]", "each.kind != ORIGIN]"),
    Mutant("origin lines move", FOREIGN, "each.kind != ORIGIN and each.id not in elsewhere]", "each.id not in elsewhere]"),
    Mutant("a parted log keeps its name", FOREIGN, "new, wall = ids.new_origin(), ids.now_ms()", "new, wall = origin, ids.now_ms()"),
    Mutant("absent devices are not healed", PUSH, "if have.hi <= head.hi or", "if not have.own or have.hi <= head.hi or"),
    Mutant("clocks from elsewhere are not taken over", FOREIGN, "origins.note_clock(self._home, highest)", "pass"),
    Mutant("heads are not compared by chain", PULL, "elif not self._ends_in(head, end):", "elif False:"),
    Mutant("a page is not compared by chain", PULL, "return found[seq + 1 - segment.lo :] if before == chain else None", "return found[seq + 1 - segment.lo :]"),
    Mutant("a parted log is left as it is", PULL, "if rest and same < hi:", "if False:"),
    Mutant("gaps are not noticed", PULL, "if segment.lo > seq + 1:", "if False:"),
    Mutant("a refused append is not looked at again", PUSH, "            if not done:\n                self._lost.add(segment.origin)\n                continue", "            if not done:\n                continue"),
    Mutant("an append is believed to have worked", PUSH, "            if not done:", "            if False:"),
    # of the line format's, where it touches sync
    Mutant("a moved line gets a new id", FOREIGN, "raw = line.placed(each, new, number, found.chain)", "raw = line.placed(each, new, number, found.chain).replace(each.id.encode(), ids.new_id(wall).encode())"),
    Mutant("bodies stay on the remote", PUSH, "and not self._report.stopped(origin)\n            ):\n                self._forget", "and False\n            ):\n                self._forget"),
    Mutant("nulls are counted, not weighed", "log/extent.py", "return 1 + int(chain[:8], 16)", "return 1 if chain else 0"),
    Mutant("nulls are not fetched", PULL, "if have.weighed(1, head.hi) == head.nulls:", "if True:"),
    Mutant("a null bans nothing", FORGOTTEN, "banned = each.body is None or bans.bans(each.id, each.key)", "banned = bans.bans(each.id, each.key)"),
    Mutant("what arrives is not compared with what is banned", FOREIGN, "if _banned(each, bans):", "if False:"),
    Mutant("no sweep before the push", "sync/exchange.py", "            self._sweep()\n", ""),
    Mutant("a rewrite does not compare", FOLDER, "AND lo = ?2 AND sha = ?8 AND", "AND lo = ?2 AND ?8 <> '' AND"),
    Mutant("a late long body is kept", FOLDER, "if not content or not os.path.lexists(path):", "if True:"),
    Mutant("long bodies are not emptied", PUSH, "self._remote.put(self._keys.remote_name(named.group(1).decode(\"ascii\")), b\"\")", "pass"),
    Mutant("long bodies that never got a line are not emptied", "sync/exchange.py", "                self._push.empty()\n", ""),
    Mutant("lines are sent before their long bodies", PUSH, "and not self._put(named.group(1).decode(\"ascii\")) and not have.own:", "and False:"),
    Mutant("a line is sent whose long body is not here", PUSH, "and not have.own:", "and False:"),
    Mutant("long bodies of a cut tail are not noted", FOREIGN, "            forgotten.note_blobs(self._home, self.secret, rest)\n", ""),
    Mutant("long bodies of nulled lines are not noted", FOREIGN, "                    forgotten.note_blobs(self._home, self.secret, gone)\n", ""),
    Mutant("lines are written without a look at the end", FOREIGN, "if (end.seq, end.chain) != (seq, chain):", "if False:"),
    Mutant("a segment is sealed without its place", SEAL, "return f\"{origin}|{lo}|{hi}|{ver}\"", "return \"segment\""),
    Mutant("the end of a segment's chain is not compared", SEAL, "if not found or (found[-1].seq, chain.decode(\"ascii\")) != (segment.hi, segment.chain):", "if not found:"),
    Mutant("a newer seal is opened all the same", SEAL, "if segment.ver != VERSION:", "if False:"),
    Mutant("no canary", "sync/keys.py", "        if not right:", "        if False:"),
    Mutant("older secrets are dropped", "log/secret.py", "return [bytes.fromhex(each) for each in lines[1:]]", "return []"),
    Mutant("a machine is not known under the new secret", "log/origin.py", "        known.machines = [*known.machines, machine]\n        write(home, known)\n    secret", "        pass\n    secret"),
]  # fmt: skip


def copied(target: Path) -> None:
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "rig", "node_modules"))
    shutil.copy(ROOT / "pyproject.toml", target)


def broken(mutant: Mutant, target: Path) -> None:
    path = target / "src" / "session_memory" / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.name}: stands {text.count(mutant.old)} times in {mutant.file}")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def noticed(target: Path, *tests: str) -> bool:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests], cwd=target, capture_output=True,
        text=True, check=False, timeout=1_800, env={**os.environ, "PYTHONPATH": "src:.", "SESSION_MEMORY_SYNC_FUZZ": HISTORIES},
    )  # fmt: skip
    if done.returncode not in (0, 1):
        raise SystemExit(done.stdout[-3_000:])
    return done.returncode == 1


def main(words: list[str]) -> int:
    chosen = [each for each in MUTANTS if all(word in each.name for word in words)]
    survived = []
    for number, mutant in enumerate(chosen, 1):
        with tempfile.TemporaryDirectory() as folder:
            copied(Path(folder))
            broken(mutant, Path(folder))
            by = "directed tests" if noticed(Path(folder), *DIRECTED) else ""
            by = by or ("random histories" if noticed(Path(folder), "tests/laws/test_sync_laws.py") else "")
        print(f"{number:2}/{len(chosen)} {'killed by ' + by if by else 'SURVIVED':26} {mutant.name}", flush=True)
        survived += [] if by else [mutant.name]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} noticed")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
