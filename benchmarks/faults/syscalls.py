"""Real system calls under strace: killed at each of them, and each of them failing once or from then on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter

from session_memory import paths
from session_memory.index import agree
from session_memory.index.catchup import Index
from session_memory.log import reader
from session_memory.log.journal import Journal
from session_memory.log.lock import Lock
from session_memory.log.verify import verify
from session_memory.model.record import Draft

CALLS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "ftruncate", "mkdir", "flock", "link",
         "pread64", "read")  # fmt: skip
HARMLESS_TO_DIE_BEFORE = ("pread64", "read")  # a kill there is a kill before the next call that changes something
ACTION = """
import os, sys
from session_memory import paths
from session_memory.errors import SessionMemoryError
from session_memory.log.journal import Journal
from session_memory.model.record import Draft
scene, root = sys.argv[1], sys.argv[2]
if scene == "checkpoint":
    from session_memory.memory import Memory
try:
    if scene == "checkpoint":
        memory = Memory(root, cwd=root)
        print(memory.checkpoints.create("here")["checkpoint_id"], flush=True)
        memory.close()
    else:
        journal = Journal(paths.Home(root), roll_bytes=900 if scene == "roll" else 1 << 26)
        print(journal.append([Draft("event", {"session": "s", "project": "p", "category": "finding", "type": "t",
                                              "data": {"text": "new"}})])[0].id, flush=True)
except SessionMemoryError as error:
    print("told", error.code, flush=True)
"""
SCENES = ("record", "roll", "merge", "checkpoint")


def available() -> bool:
    """Whether strace can be used here."""
    return shutil.which("strace") is not None and subprocess.run(
        ["strace", "-o", os.devnull, "true"], check=False, capture_output=True
    ).returncode == 0  # fmt: skip


def prepared(folder: str, scene: str) -> str:
    """A home with three records (and, to be merged, one that waits)."""
    root = f"{folder}/{scene}"
    place = paths.Home(root)
    journal = Journal(place, deadline=0.0)
    for text in ("one", "two", "three"):
        journal.append([_draft(text)])
    if scene == "merge":
        with Lock(place.store_lock, 1.0):
            journal.append([_draft("waiting")])
    with open(place.origin, encoding="ascii") as file:
        known = json.load(file)
    known["inode"] = 0  # so that copies of it do not count as copied homes
    with open(place.origin, "w", encoding="ascii") as file:
        json.dump(known, file)
    return root


def _draft(text: str) -> Draft:
    return Draft("event", {"session": "s", "project": "p", "category": "finding", "type": "t", "data": {"text": text}})


def windows(root: str, scene: str, folder: str) -> dict[str, tuple[int, int]]:
    """Call -> the first and last of its invocations that touch the home, counted over the whole process."""
    trial, trace = f"{folder}/trial", f"{folder}/trace"
    shutil.copytree(root, trial)
    _run(trial, scene, ["strace", "-f", "-y", "-o", trace, "-e", f"trace={','.join(CALLS)}"])
    shutil.rmtree(trial)
    seen: Counter[str] = Counter()
    found: dict[str, tuple[int, int]] = {}
    with open(trace, encoding="utf-8", errors="replace") as file:
        for line in file:
            name = line.split("(")[0].split()[-1]
            if name in CALLS:
                seen[name] += 1
                if trial in line:
                    found[name] = (found.get(name, (seen[name], 0))[0], seen[name])
    return found


def _run(root: str, scene: str, words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*words, sys.executable, "-c", ACTION, scene, root], capture_output=True, text=True, timeout=60, check=False
    )


def loop(every: int = 1) -> tuple[str, bool]:
    """All scenes, all calls; `every`: only every so-many-th invocation."""
    rounds = unclear = broken = 0
    with tempfile.TemporaryDirectory() as folder:
        for scene in SCENES:
            root = prepared(folder, scene)
            for call, (first, last) in windows(root, scene, folder).items():
                for number in range(first, last + 1, every):
                    for harm in ("signal=KILL", "error=EIO", "error=ENOSPC"):
                        if (call in HARMLESS_TO_DIE_BEFORE) and harm != "error=EIO":
                            continue
                        for when in (f"{number}", f"{number}+") if harm != "signal=KILL" else (f"{number}",):
                            rounds += 1
                            verdict = _one(root, scene, folder, call, harm, when)
                            unclear += verdict == "unclear"
                            broken += verdict == "broken"
    return (
        f"{rounds:,} runs of {len(SCENES)} actions: {broken} broke a law; in {unclear} the interpreter itself could not go on",
        not broken,
    )


def _one(root: str, scene: str, folder: str, call: str, harm: str, when: str) -> str:
    trial = f"{folder}/trial"
    shutil.copytree(root, trial)
    try:
        done = _run(
            trial,
            scene,
            ["strace", "-f", "-o", os.devnull, "-e", f"trace={call}", "-e", f"inject={call}:{harm}:when={when}"],
        )
        said = done.stdout.split()
        acknowledged = said[0] if said and len(said[0]) == 32 else ""
        wrong = _laws(trial, scene, acknowledged)
        if wrong:
            print(f"BROKEN {scene} {call} {harm} when={when}: {wrong}", flush=True)
            return "broken"
        clear = bool(said) or harm == "signal=KILL" or "error:" in done.stderr
        return "fine" if clear else "unclear"
    except subprocess.TimeoutExpired:
        print(f"HANGS {scene} {call} {harm} when={when}", flush=True)
        return "broken"
    finally:
        shutil.rmtree(trial)


def _laws(root: str, scene: str, acknowledged: str) -> str:
    place = paths.Home(root)
    Journal(place).append([_draft("after")])
    ids, texts = [], set()
    with reader.Logs(place) as logs:
        for each in (each for log in logs for part in log.parts for each in reader.places(part)):
            if each.line is not None:
                ids.append(each.line.id)
                body = reader.record(place, each.line).body or {}
                texts.add(body.get("data", {}).get("text"))
    missing = {"one", "two", "three", "after", *(["waiting"] if scene == "merge" else [])} - texts
    if missing or (acknowledged and acknowledged not in ids):
        return f"lost {missing or acknowledged}"
    if len(ids) != len(set(ids)):
        return "an id twice"
    faults = verify(place).faults
    if faults:
        return str(faults[0])
    if scene == "checkpoint":
        index = Index(place)
        index.catch_up(wait=20)
        wrong = agree.differences(index.database(), place)
        index.close()
        return wrong[0] if wrong else ""
    return ""
