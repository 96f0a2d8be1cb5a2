"""The questions a programmer asks about a session: are the records that prove the answer found, and is it in what is served?

    PYTHONPATH=src:. python benchmarks/recall/coding.py [--misses] [--why] [--keep FOLDER] [--kind KIND]

Strict: the record a labeller named. Lenient: also records that a regular expression found to mention the answer. Served: the
answer's words, or a quote that proves it, stand in the first 2,048 bytes of the result. Questions without an answer are
left out of the scores; their best hit is shown with --misses.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.recall import material
from benchmarks.recall.dialogue import plain

from session_memory.actions.events import Query
from session_memory.index.match import STOP
from session_memory.memory import Memory
from session_memory.model.passage import stems
from session_memory.model.snippet import snippet
from session_memory.model.words import plain_text

KS = (1, 5, 10)
ROOM = 2048
MOST = 10
DEEP = 60  # hits among which --why looks for a record


def full_text(memory: Memory, question: str) -> list[dict[str, Any]]:
    """Plain full text, the beginning of each hit around its words."""
    return [
        {"id": event["id"], "snippet": snippet(event["data"], question)}
        for event in memory.events.by_ids(plain(memory, question)[:MOST])
    ]


def keyword(memory: Memory, question: str) -> list[dict[str, Any]]:
    """`session_query(keyword=)`."""
    page = memory.events.query(Query(keyword=question, scope="all", limit=MOST))
    return [{"id": event["id"], "snippet": snippet(event["data"], question)} for event in page.events]


def served(memory: Memory, question: str) -> list[dict[str, Any]]:
    """`session_semantic_search`."""
    found: list[dict[str, Any]] = memory.recall.search(question, scope="all", limit=MOST)["results"]
    return found


def records(memory: Memory) -> dict[str, str]:
    """Event id -> the transcript record it came from."""
    sql = "SELECT lower(hex(id)), more ->> '$.source.uuid', more ->> '$.source.line' FROM event"
    return {row[0]: row[1] or f"line:{row[2]}" for row in memory.opened.read().rows(sql)}


def holds(text: str, question: dict[str, Any]) -> bool:
    """Whether the answer stands in what is served: a quote that proves it, or nearly all words of the answer."""
    text = material.normal(text)
    if any(material.normal(each["quote"]) in text for each in question["expected"]):
        return True
    words = [
        word for word in re.findall(r"[\w.:/~-]*\w", question["answer"].lower()) if word not in STOP and len(word) > 1
    ]
    return bool(words) and sum(word in text for word in words) >= 0.8 * len(words)


def first_at(uuids: list[str], wanted: set[str], mode: str | None) -> int | None:
    """The rank (from 1) at which the question is answered."""
    if mode == "all":
        places = [uuids.index(each) + 1 for each in wanted if each in uuids]
        return max(places) if len(places) == len(wanted) else None
    return next((n for n, each in enumerate(uuids, 1) if each in wanted), None)


def why(memory: Memory, names: dict[str, str], question: dict[str, Any], held: bool) -> str:
    """A line for a question that is not answered first, or whose answer is not served: its rank, the words it lacks, what is above."""
    hits = memory.recall.search(question["question"], scope="all", limit=DEEP, explain=True)["results"]
    uuids, wanted = [names.get(hit["id"], "") for hit in hits], {each["uuid"] for each in question["expected"]}
    at = first_at(uuids, wanted, question.get("mode"))
    if (at == 1 and held) or not question["answerable"]:
        return ""
    ids = [id_ for id_, uuid in names.items() if uuid in wanted]
    texts = [plain_text(event["data"]).lower() for event in memory.events.by_ids(ids)]
    words = [word for word in stems(re.findall(r"[\w.:/-]+", question["question"])) if word not in STOP]
    lacks = min(([word for word in words if word not in text] for text in texts), key=len, default=words)
    said = [f"lacks {len(lacks)} of {len(words)}: {', '.join(lacks) or 'none'}"]
    if at != 1 and hits:
        above, mine = hits[0]["parts"], hits[at - 1]["parts"] if at else {}
        gain = sorted(above, key=lambda part: mine.get(part, 0.0) - above[part])[:2]
        said.append(f"above: {hits[0]['category']}/{hits[0]['type']} by {', '.join(gain)}")
    if not held:
        said.append("not in 2 KB" + (": another place of its text is shown" if at and at <= 5 else ""))
    return f"{question['id'][-3:]} {question['kind']:14} rank {at or f'>{DEEP}':>4}  {'; '.join(said)}"


def main(keep: Path, kind: str | None, misses: bool, reasons: bool) -> None:
    told: list[str] = []
    rows: dict[str, list[dict[str, Any]]] = {}
    for found, memory in material.sessions(keep):
        names = records(memory)
        for question in found["questions"]:
            if kind and question["kind"] != kind:
                continue
            for name, way in (
                ("plain full text", full_text),
                ("session_query", keyword),
                ("session_semantic_search", served),
            ):
                began = time.perf_counter()
                hits = way(memory, question["question"])
                took = (time.perf_counter() - began) * 1000
                uuids = [names.get(hit["id"], "") for hit in hits]
                shown = ""
                for hit in hits:
                    line = json.dumps(hit, ensure_ascii=False, separators=(",", ":"))  # as the tool serves it
                    if len((shown + line).encode()) > ROOM:
                        break
                    shown += line + "\n"
                strict = {each["uuid"] for each in question["expected"]}
                lenient = strict | {each["uuid"] for each in question.get("also", []) if not each.get("summary")}
                rows.setdefault(name, []).append({
                    "question": question, "ms": took, "hits": hits, "answered": question["answerable"],
                    "strict": first_at(uuids, strict, question.get("mode")), "lenient": first_at(uuids, lenient, "any"),
                    "served": holds(shown.replace("\\n", " ").replace('\\"', '"'), question) if question["answerable"] else None,
                })  # fmt: skip
            if reasons:
                told.append(
                    f"{found['session'][:4]}-{line}"
                    if (line := why(memory, names, question, rows["session_semantic_search"][-1]["served"]))
                    else ""
                )
    for name, all_rows in rows.items():
        _table(name, [row for row in all_rows if row["answered"]])
    if reasons:
        print("\nnot first, or not served: why\n" + "\n".join(filter(None, told)))
    if misses:
        _misses(rows["session_semantic_search"])


def _table(name: str, rows: list[dict[str, Any]]) -> None:
    times = sorted(row["ms"] for row in rows)
    print(f"\n{name}: p50 {statistics.median(times):.1f} ms, p95 {times[int(0.95 * len(times))]:.1f} ms")
    print(f"{'':16}{'n':>4}  strict@1   @5  @10   lenient@1   @5  @10   served in 2 KB")
    groups = {"all": rows, **{kind: [row for row in rows if row["question"]["kind"] == kind]
                              for kind in dict.fromkeys(row["question"]["kind"] for row in rows)}}  # fmt: skip
    for group, some in groups.items():
        cells = [
            statistics.mean(row[way] is not None and row[way] <= k for row in some)
            for way in ("strict", "lenient")
            for k in KS
        ]
        there = statistics.mean(row["served"] for row in some)
        print(f"{group:16}{len(some):4}      {cells[0]:.2f} {cells[1]:.2f} {cells[2]:.2f}        {cells[3]:.2f} {cells[4]:.2f} {cells[5]:.2f}        {there:.2f}")  # fmt: skip


def _misses(rows: list[dict[str, Any]]) -> None:
    print("\nnot first five (strict), or the answer not served; and what is shown for what has no answer")
    for row in rows:
        question = row["question"]
        if row["answered"] and row["strict"] is not None and row["strict"] <= 5 and row["served"]:
            continue
        where = [each["line"] for each in question["expected"]]
        print(f"\n{question['id'][-3:]} {question['kind']}: {question['question']}\n   answer: {question['answer'][:100]} {where}"
              f" strict {row['strict']} lenient {row['lenient']} served {row['served']}")  # fmt: skip
        for hit in row["hits"][:5]:
            print(
                f"     {hit.get('category', '')}/{hit.get('type', '')} {hit.get('score', '')} {hit['snippet'][:110]!r}"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="folder that keeps the filled memories for the next run")
    parser.add_argument("--kind")
    parser.add_argument("--misses", action="store_true", help="show what was found instead")
    parser.add_argument("--why", action="store_true", help="a line for each question that is missed")
    given = parser.parse_args()
    material.there(material.LABELS, material.TRANSCRIPTS)
    with tempfile.TemporaryDirectory() as folder:
        main(given.keep or Path(folder), given.kind, given.misses, given.why)
