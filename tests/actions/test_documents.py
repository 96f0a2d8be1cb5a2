"""Documents are read in once, again when they change, found like events, and only from where the user allows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.extract.test_reading import docx, long_pdf, paragraph, pdf

from session_memory import paths
from session_memory.actions.events import Query
from session_memory.actions.forgetting import Wanted
from session_memory.errors import InvalidInput, NotFound
from session_memory.log import reader
from session_memory.memory import Memory
from session_memory.model.record import DOCUMENT, EVERYWHERE, Draft

GUIDE = "# Guide\n\nHow limits work.\n\n## Token bucket\n\nA bucket of zanzibar tokens is filled every second.\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project" / "docs").mkdir(parents=True)
    (tmp_path / "project" / "docs" / "guide.md").write_text(GUIDE)
    return tmp_path / "project"


@pytest.fixture
def memory(home: str, project: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(project)) as opened:
        yield opened


def found(memory: Memory, **asked: Any) -> list[dict[str, Any]]:
    return memory.events.query(Query(**asked)).events


def records(memory: Memory) -> int:
    with reader.Logs(memory.opened.home) as logs:
        return sum(1 for log in logs for part in log.parts for _place in reader.places(part))


def test_a_document_is_found_with_its_file_and_heading(memory: Memory) -> None:
    told = memory.documents.ingest("docs/guide.md")
    assert (told["status"], told["file"], told["chunks"], told["words"]) == ("new", "docs/guide.md", 2, 17)
    [hit] = found(memory, keyword="zanzibar bucket")
    assert (hit["category"], hit["type"], hit["stated_by"]) == ("custom", "document", "import")
    assert (hit["data"]["file"], hit["data"]["title"]) == ("docs/guide.md", "Guide > Token bucket")
    assert hit["source"]["document"] == told["document_id"]
    assert [each["id"] for each in found(memory, type="document", category="custom", keyword="zanzibar")] == [hit["id"]]
    assert len(found(memory, type="document")) == 2
    assert memory.events.get(hit["id"])["id"] == hit["id"]
    assert found(memory, category="decision", keyword="zanzibar") == []


def test_chunks_are_no_events_of_the_session(memory: Memory) -> None:
    memory.events.record("finding", "bug", {"title": "one"})
    memory.documents.ingest("docs/guide.md")
    assert [each["type"] for each in found(memory)] == ["bug"]
    status = memory.sessions.status(None)
    assert (status["event_count"], status["events_by_category"]) == (1, {"finding": 1})
    assert memory.health.report()["index"]["events"] == 1 and memory.health.verify().green
    assert memory.health.rebuild() == 1
    assert len(found(memory, type="document")) == 2 and memory.health.verify().green


def test_an_unchanged_file_records_nothing_and_a_changed_one_replaces_its_chunks(memory: Memory, project: Path) -> None:
    first = memory.documents.ingest("docs/guide.md")
    before = records(memory)
    again = memory.documents.ingest(str(project / "docs" / "guide.md"))
    assert (again["status"], again["document_id"], again["chunks"]) == ("unchanged", first["document_id"], 2)
    assert records(memory) == before
    (project / "docs" / "guide.md").write_text("# Guide\n\nNothing of it any more.\n")
    changed = memory.documents.ingest("docs/guide.md")
    assert (changed["status"], changed["document_id"], changed["chunks"]) == ("replaced", first["document_id"], 1)
    assert found(memory, keyword="zanzibar") == [] and len(found(memory, type="document")) == 1
    assert memory.documents.ingest("docs/guide.md", chunk_size=500)["status"] == "replaced"  # cut in another way
    memory.health.rebuild()
    assert found(memory, keyword="zanzibar") == [] and len(found(memory, type="document")) == 1
    assert memory.health.verify().green


def test_the_version_said_last_counts_in_any_order(tmp_path: Path) -> None:
    from session_memory.index import documents
    from session_memory.index.database import make_index
    from session_memory.model.record import Record

    versions = [
        Record(1, DOCUMENT, f"{n}" * 32, "0" * 16, n + 1, "2026-01-01T00:00:00.000Z", f"179535725712{n}.0000", None,
               {"session": "s", "project": "p", "document": "d", "name": "a.md", "kind": "text", "text": text})
        for n, text in enumerate(["old words", "new words"])
    ]  # fmt: skip
    seen = []
    for number, order in enumerate([versions, versions[::-1], [*versions, versions[0]]]):
        database = make_index(str(tmp_path / f"{number}.sqlite"))
        for record in order:
            documents.apply(database, record)
        seen.append(
            sorted(
                database.rows(
                    "SELECT hex(event.id), data, document.id FROM event JOIN document ON document.n = document_n"
                )
            )
        )
        database.close()
    assert seen[0] == seen[1] == seen[2] and "new words" in seen[0][0][1] and len(seen[0]) == 1


def test_a_secret_is_redacted_before_the_text_is_cut(memory: Memory, project: Path) -> None:
    secret = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
    (project / "notes.txt").write_text("x " * 20 + f"the token is {secret} and so on")
    memory.documents.ingest("notes.txt", chunk_size=50, overlap=0)
    everything = b"".join(path.read_bytes() for path in Path(memory.opened.home.root).rglob("*") if path.is_file())
    assert secret.encode() not in everything and secret[:20].encode() not in everything
    assert len(found(memory, keyword="token")) == 1


def test_a_forgotten_document_leaves_nothing(memory: Memory) -> None:
    memory.documents.ingest("docs/guide.md")
    receipt = memory.forgetting.carry_out(memory.forgetting.plan(Wanted(text="bucket of zanzibar tokens")))
    assert receipt.records == 1 and not receipt.still_in
    assert found(memory, type="document") == [] and memory.health.thing("docs/guide.md") is None


def test_a_document_of_an_older_home_stands_without_chunks(memory: Memory) -> None:
    body = {
        "session": "old",
        "project": EVERYWHERE,
        "document": "doc-1",
        "name": "plan.pdf",
        "path": "/x/plan.pdf",
        "chunks": 7,
    }
    memory.opened.keep([Draft(DOCUMENT, body)])
    assert (memory.health.thing("plan.pdf") or {})["chunks"] == 7
    assert found(memory, type="document", scope="all") == []


@pytest.mark.parametrize(
    "place", ["../outside.md", "link.md", "docs/../../outside.md", "linked/outside.md", "~/secret.md", "/etc/hostname"]
)
def test_nothing_outside_the_project_is_read(memory: Memory, project: Path, place: str) -> None:
    (project.parent / "outside.md").write_text("# private")
    (project / "link.md").symlink_to(project.parent / "outside.md")
    (project / "linked").symlink_to(project.parent)
    before = records(memory)
    with pytest.raises(InvalidInput) as refused:
        memory.documents.ingest(place)
    assert refused.value.code == "not-allowed" and "ingest.allow" in refused.value.fix
    assert records(memory) == before


@pytest.mark.parametrize("name", [".env", ".env.local", "server.pem", "id.key", ".git/config", ".ssh/notes.md"])
def test_files_that_hold_keys_are_kept_out(memory: Memory, project: Path, name: str) -> None:
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("text")
    with pytest.raises(InvalidInput) as refused:
        memory.documents.ingest(name)
    assert refused.value.code == "not-allowed"


def test_what_the_user_allows_or_excludes_holds(home: str, project: Path, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "a.md").write_text("# Allowed paper")
    (tmp_path / "papers" / "b.md").symlink_to("/etc/hostname")
    paths.make_dir(home)
    (Path(home) / "config.json").write_text(
        json.dumps({"ingest": {"allow": [str(tmp_path / "papers")]}, "capture": {"exclude": ["*/private/*"]}})
    )
    with Memory(home, cwd=str(project)) as memory:
        told = memory.documents.ingest(str(tmp_path / "papers" / "a.md"))
        assert told["file"] == str(tmp_path / "papers" / "a.md")
        (project / "private").mkdir()
        (project / "private" / "c.md").write_text("# no")
        for refused in (tmp_path / "papers" / "b.md", project / "private" / "c.md"):
            with pytest.raises(InvalidInput, match="not-allowed"):
                memory.documents.ingest(str(refused))
        assert memory.documents.open("/etc/hostname", 100, 0, anywhere=True).path == "/etc/hostname"


def test_a_feature_that_is_switched_off_says_so(memory: Memory) -> None:
    from session_memory.actions import entities

    for name in ("entities", "document_ingest"):
        memory.opened.settings.take(f"features.{name}", False, "test")
    for call in (
        lambda: memory.documents.ingest("docs/guide.md"), lambda: memory.entities.create("t", "n"),
        lambda: memory.entities.link("a", "b", "uses"), lambda: memory.entities.query(entities.Query()),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match="feature-off"):
            call()


def test_a_home_folder_is_no_project(home: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "diary.md").write_text("dear")
    with Memory(home, cwd=str(tmp_path)) as memory:
        with pytest.raises(InvalidInput, match="not-allowed"):
            memory.documents.ingest("diary.md")


@pytest.mark.parametrize(
    ("path", "more", "code"),
    [
        ("none.md", {}, "no-document"), ("docs", {}, "not-a-document"), ("", {}, "bad-argument"), ("a\0b", {}, "bad-argument"),
        ("x" * 5_000, {}, "bad-argument"), ("docs/guide.md", {"chunk_size": 49}, "bad-argument"), ("pipe", {}, "not-a-document"),
        ("docs/guide.md", {"chunk_size": 10_001}, "bad-argument"), ("docs/guide.md", {"overlap": 1_001}, "bad-argument"),
        ("docs/guide.md", {"overlap": -1}, "bad-argument"), ("large.txt", {}, "too-large"), ("empty.md", {}, "damaged-document"),
        ("junk.md", {}, "not-a-document"),
    ],
)  # fmt: skip
def test_a_wrong_call_says_what_is_wrong(
    memory: Memory, project: Path, path: str, more: dict[str, int], code: str
) -> None:
    os.mkfifo(project / "pipe")
    with open(project / "large.txt", "wb") as file:
        file.truncate(10_000_001)
    (project / "empty.md").write_text("\n \n")
    (project / "junk.md").write_bytes(os.urandom(4_000))
    with pytest.raises((InvalidInput, NotFound)) as refused:
        memory.documents.ingest(path, **more)
    assert refused.value.code == code
    assert memory.health.report()["index"].get("documents", 0) == 0


def test_a_long_pdf_is_found_by_page(memory: Memory, project: Path) -> None:
    (project / "long.pdf").write_bytes(long_pdf())
    steps: list[int] = []
    told = memory.documents.ingest("long.pdf", progress=lambda done, total: steps.append(done))
    assert told["pages"] == 300 and steps[-1] == 300 and told["chunks"] > 150
    hits = found(memory, keyword='"the 217th page says line 3"')
    assert 217 in [hit["source"]["page"] - 1 for hit in hits]
    assert memory.health.verify().green


def test_a_folder_is_read_by_the_command(memory: Memory, home: str, project: Path) -> None:
    (project / "docs" / "b.docx").write_bytes(docx(paragraph("Kilimanjaro is high.")))
    (project / "docs" / "bad.pdf").write_bytes(pdf(["x"])[:200])
    (project / "docs" / "code.py").write_text("not a document of a folder")
    (project / "docs" / "node_modules").mkdir()
    (project / "docs" / "node_modules" / "readme.md").write_text("vendored")
    run = [sys.executable, "-m", "session_memory", "ingest", "--home", home]
    done = subprocess.run([*run, "docs", "--json"], cwd=project, capture_output=True, text=True, check=False)
    told = {each["file"].rpartition("/")[2]: each["status"] for each in json.loads(done.stdout)}
    assert told == {"b.docx": "new", "bad.pdf": "refused", "guide.md": "new"} and done.returncode == 1
    one = subprocess.run([*run, "docs/guide.md"], cwd=project, capture_output=True, text=True, check=True)
    assert one.stdout == "docs/guide.md: unchanged, 17 words, 2 chunks\n"
    search = subprocess.run(
        [*run[:3], "search", "--home", home, "kilimanjaro"], cwd=project, capture_output=True, text=True, check=True
    )
    assert "docs/b.docx" in search.stdout
    outside = [*run, "/etc/hostname"]
    assert subprocess.run(outside, cwd=project, capture_output=True, check=False).returncode == 1
    assert subprocess.run([*outside, "--outside"], cwd=project, capture_output=True, check=False).returncode == 0
