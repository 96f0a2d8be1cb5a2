"""Real system calls under strace: killed at each of them, and each of them failing once or from then on."""

from __future__ import annotations

import json
import os
import shutil
import socket
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
         "pread64", "read", "close", "newfstatat", "lseek", "getdents64")  # fmt: skip
CHANGING = (
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "rename",
    "unlink",
    "ftruncate",
    "mkdir",
    "link",
    "flock",
)
# It answers over a socket, so that a failing `write` is one of the product's; the other home has it import everything first.
ACTION = """
import os, socket, sys, traceback
scene, root, warm, answer = sys.argv[1], sys.argv[2], sys.argv[3], socket.socket(fileno=int(sys.argv[4]))
from session_memory import paths
from session_memory.errors import SessionMemoryError
from session_memory.log.journal import Journal
from session_memory.memory import Memory
from session_memory.model.record import Draft
def act(root):
    if scene == "checkpoint":
        memory = Memory(root, cwd=root)
        made = memory.checkpoints.create("here")["checkpoint_id"]
        memory.close()
        return made
    text = "new " * 40_000 if scene == "long" else "new"
    return Journal(paths.Home(root), roll_bytes=900 if scene == "roll" else 1 << 26).append([
        Draft("event", {"session": "s", "project": "p", "category": "finding", "type": "t", "data": {"text": text}})])[0].id
act(warm)
try:
    said = act(root)
except SessionMemoryError as error:
    said = "told " + error.code
except Exception as error:
    said = "raised " + traceback.format_exc()[-1200:]
answer.sendall(said.encode())
"""
SCENES = ("record", "long", "roll", "merge", "copied", "checkpoint")


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
    known["inode"] = 1 if scene == "copied" else 0  # 0: copies of it do not count as copied homes
    with open(place.origin, "w", encoding="ascii") as file:
        json.dump(known, file)
    return root


def _draft(text: str) -> Draft:
    return Draft("event", {"session": "s", "project": "p", "category": "finding", "type": "t", "data": {"text": text}})


def windows(root: str, scene: str, folder: str) -> dict[str, tuple[int, int]]:
    """Call -> the first and last of its invocations that touch the home, counted over the whole process."""
    trial, trace = f"{folder}/trial", f"{folder}/trace"
    for words in ([], ["strace", "-f", "-y", "-o", trace, "-e", f"trace={','.join(CALLS)}"]):
        shutil.copytree(root, trial)
        _run(trial, scene, folder, words)  # the first time only for the interpreter's own caches
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


def _run(root: str, scene: str, folder: str, words: list[str]) -> tuple[str, str, int]:
    """What the action answered, what stderr says, and how it ended."""
    warm = f"{folder}/warm"
    shutil.rmtree(warm, ignore_errors=True)
    os.mkdir(warm, 0o700)
    ours, its = socket.socketpair()
    with ours, its:
        done = subprocess.run(
            [*words, sys.executable, "-c", ACTION, scene, root, warm, str(its.fileno())],
            capture_output=True, text=True, timeout=60, check=False, pass_fds=[its.fileno()],
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )  # fmt: skip
        its.close()
        return ours.recv(2_000).decode(), done.stderr, done.returncode


def loop(every: int = 1) -> tuple[str, bool]:
    """All scenes, all calls; `every`: only every so-many-th invocation (of a checkpoint's four times as many)."""
    rounds = broken = 0
    with tempfile.TemporaryDirectory() as folder:
        for scene in SCENES:
            root = prepared(folder, scene)
            for call, (first, last) in windows(root, scene, folder).items():
                for number in range(first, last + 1, every * (4 if scene == "checkpoint" else 1)):
                    harms = [("error=EIO", f"{number}"), ("error=EIO", f"{number}+")]
                    if call in CHANGING:
                        harms += [
                            ("signal=KILL", f"{number}"),
                            ("error=ENOSPC", f"{number}"),
                            ("error=ENOSPC", f"{number}+"),
                        ]
                    for harm, when in harms:
                        rounds += 1
                        wrong = _one(root, scene, folder, call, harm, when)
                        if wrong:
                            broken += 1
                            print(f"BROKEN {scene} {call} {harm} when={when}: {wrong}", flush=True)
    return f"{rounds:,} runs of {len(SCENES)} actions, {broken} broke a law", not broken


def _one(root: str, scene: str, folder: str, call: str, harm: str, when: str) -> str:
    """What went wrong; "" when every law held and the action said clearly what became of it."""
    trial = f"{folder}/trial"
    shutil.copytree(root, trial)
    inject = ["strace", "-f", "-o", os.devnull, "-e", f"trace={call}", "-e", f"inject={call}:{harm}:when={when}"]
    try:
        said, errors, ended = _run(trial, scene, folder, inject)
        if not said and harm != "signal=KILL":
            return f"no answer, exit {ended}: {errors[-300:]}"
        if said.startswith("raised"):
            return said
        return _laws(trial, scene, "" if said.startswith("told") else said)
    except subprocess.TimeoutExpired:
        return "it hangs"
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
    index = Index(place)
    index.catch_up(wait=20)
    wrong = agree.differences(index.database(), place)
    index.close()
    return wrong[0] if wrong else ""
