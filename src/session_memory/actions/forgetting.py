"""Forgetting with proof: choose what goes, show it, take it out of every file we own, and search those files for its bytes."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from session_memory import ids, paths
from session_memory.actions import backups
from session_memory.actions.opened import Opened
from session_memory.errors import InvalidInput, LogUnavailable, NotFound, SessionMemoryError
from session_memory.index import embedded
from session_memory.index import projects as project_rows
from session_memory.index.catchup import REBUILD_SECONDS
from session_memory.log import forgotten, reader
from session_memory.log.lock import Lock
from session_memory.model.projects import whole
from session_memory.model.record import CHECKPOINT, EVENT, FORGET, HANDOFF, INJECTION, ORIGIN, PROJECT, RESUME, SESSION
from session_memory.model.values import clean_text
from session_memory.settings import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from session_memory.log.line import Line

    Progress = Callable[[int, int], None]
    Lines = tuple[Line, dict[str, Any]]

DERIVED = (CHECKPOINT, HANDOFF, INJECTION, RESUME)  # made of other records' words
SHORTEST_NEEDLE, NEEDLE, MOST_LINES = 6, 60, 20  # characters of a text that is searched for; lines of one
MOST_NEEDLES = 300  # texts that the proof searches for: of more, every so-many-th
SHORTEST_ID = 8
SHOWN = 5


@dataclass(frozen=True)
class Wanted:
    """What is to be forgotten: exactly one of these."""

    text: str | None = None
    id: str | None = None
    session: str | None = None
    before: int | None = None  # ms
    origin: str | None = None
    source: str | None = None
    project: str | None = None


@dataclass
class Plan:
    """What would go."""

    wanted: Wanted
    records: list[tuple[str, str | None]] = field(default_factory=list)  # id and key
    kinds: dict[str, int] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    projects: set[str] = field(default_factory=set)
    examples: list[str] = field(default_factory=list)
    words: int = 0  # texts that what goes says
    needles: list[str] = field(default_factory=list)  # those of them by which the proof searches


@dataclass
class Receipt:
    """What went, and what the search of every file's bytes found afterwards."""

    records: int
    lines: int
    files_rewritten: int
    long_bodies: int
    views_removed: int
    words: int  # texts that went
    searched_for: int  # of them
    also_elsewhere: int  # texts that other records say too, and which so stay
    files_searched: int
    bytes_searched: int
    still_in: list[str]  # our own files that hold one of the texts all the same
    transcripts: list[str]  # the client's own files, which are not ours to change
    backups: list[str]
    may_return: bool  # the text is too short for a ban that confirms no guess: said again, it is kept again


class Forgetting:
    """What can be forgotten, and how."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def plan(self, wanted: Wanted) -> Plan:
        """What would go; nothing is changed. Raises InvalidInput (bad-argument), NotFound (nothing-to-forget)."""
        _check(wanted)
        self._opened.journal.merge()
        plan = Plan(wanted)
        projects = self._projects(wanted.project) if wanted.project else set()
        lines = list(self.lines())
        chosen = [each for each in lines if self._meant(wanted, *each, projects)]
        if wanted.id is not None and len({found.id for found, _body in chosen}) > 1:
            what = f"{len(chosen)} records have an id that begins with {wanted.id}."
            raise InvalidInput("bad-argument", what, "Give all 32 digits of one of them.")
        taken = self._with_groups(lines, chosen)
        words = (
            [wanted.text]
            if wanted.text
            else list(dict.fromkeys(each for _found, body in taken for each in _words(body)))
        )
        ids_taken = {found.id for found, _body in taken}
        derived = [each for each in lines if each[0].kind in DERIVED and each[0].id not in ids_taken]
        staying = [each for each in lines if each[0].kind not in DERIVED and each[0].id not in ids_taken]
        # a handoff quotes what it was made of
        quoting = [(each, _quoted(_text_of(each[1]), words)) for each in derived]
        doubtful = {word for _each, found in quoting for word in found}
        others = _said_by(staying, doubtful - {wanted.text})
        taken += [each for each, found in quoting if found - others]
        for found, body in taken:
            self._take(plan, found, body)
        if not plan.records and wanted.text is None:
            raise NotFound("nothing-to-forget", "Nothing that is remembered fits.", "Search for it first.")
        plan.words = len(words)
        plan.needles = words[:: max(1, len(words) // MOST_NEEDLES)]
        return plan

    def _with_groups(self, lines: list[Lines], chosen: list[Lines]) -> list[Lines]:
        """The chosen lines, and those that tell of the same thing (the same key): they go with them."""
        keys = {found.key for found, _body in chosen if found.key is not None}
        known = {found.id for found, _body in chosen}
        return [*chosen, *(each for each in lines if each[0].key in keys and each[0].id not in known)]

    def carry_out(
        self, plan: Plan, progress: Progress = lambda done, total: None, texts: Sequence[str] = ()
    ) -> Receipt:
        """Forget what the plan names, and these texts, for ever: it does not come back by import, hook or another device.

        Raises LogUnavailable (when the log cannot be written now: the ban stands, and the next opening goes on),
        IndexUnavailable, OSError.
        """
        with self._alone(REBUILD_SECONDS):
            return self._carried_out(plan, progress, texts)

    def _alone(self, wait: float) -> Lock:
        """While one process forgets, no other takes it for one that was cut short."""
        return Lock(os.path.join(self._opened.home.storage, "forget.lock"), wait)

    def _carried_out(self, plan: Plan, progress: Progress, texts: Sequence[str]) -> Receipt:
        opened, wanted = self._opened, plan.wanted
        self._keep_out(plan)
        swept = opened.journal.forget(plan.records, [wanted.text] if wanted.text else list(texts))
        removed = self._views(plan)
        opened.index.remove()
        opened.journal.finish_forgetting()
        opened.index.catch_up(wait=REBUILD_SECONDS, progress=progress)
        embedded.prune(opened.home.vectors, opened.index.database())
        sought = {wanted.text, *texts}
        others = _said_by(list(self.lines()), {each for each in plan.needles if each not in sought})
        search = [each for each in plan.needles if each not in others]
        receipt = Receipt(
            records=len(plan.records), lines=swept.lines, files_rewritten=swept.files, long_bodies=swept.blobs,
            views_removed=removed, words=plan.words, searched_for=len(search), also_elsewhere=len(others),
            files_searched=0, bytes_searched=0, still_in=[], transcripts=self._transcripts(plan),
            backups=backups.known(opened.home),
            may_return=bool(wanted.text) and len((wanted.text or "").encode()) < forgotten.SHORTEST,
        )  # fmt: skip
        forms = [form for each in search for form in _forms(each)]
        for path in _every(opened.home.root):
            content = _bytes(path)
            receipt.files_searched += 1
            receipt.bytes_searched += len(content)
            if any(form in content for form in forms):
                receipt.still_in.append(os.path.relpath(path, opened.home.root))
        return receipt

    def finish(self) -> None:
        """Go on with a forgetting that was cut short: what was quoted where is not known any more, so all derived files go.

        The log holds what they were made of. What cannot be done now is left to the next opening, with a warning.
        """
        opened = self._opened
        try:
            if opened.journal.bans().pending != forgotten.VIEWS:
                return  # nothing was begun, or the log has not lost it yet: its holder, or a later opening, sees to that
            with self._alone(0.0):
                self._finish()
        except (LogUnavailable, OSError) as error:
            if not (isinstance(error, LogUnavailable) and error.code == "log-busy"):
                opened.warn(f"A forgetting that was cut short could not be finished: {error}")

    def _finish(self) -> None:
        opened = self._opened
        if opened.journal.bans().pending != forgotten.VIEWS:
            return  # whoever was at it has finished in the meantime
        for folder in (opened.home.checkpoints, opened.home.handoffs, opened.home.brief):
            for path in _every(folder):
                os.unlink(path)
        self._remove_old_indexes()
        opened.index.remove()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(opened.home.vectors)  # made again when they are asked for
        opened.journal.finish_forgetting()

    def lines(self) -> Iterator[tuple[Line, dict[str, Any]]]:
        """Every line that says something, with its body. Raises OSError."""
        home = self._opened.home
        with reader.Logs(home) as logs:
            for part in (part for log in logs for part in log.parts):
                for place in reader.places(part):
                    found = place.line
                    if found is None or found.body is None or found.kind in (ORIGIN, FORGET):
                        continue
                    try:
                        body = reader.record(home, found).body
                    except SessionMemoryError:
                        body = None  # what cannot be read cannot be chosen by what it says
                    yield found, body or {}

    def _meant(self, wanted: Wanted, found: Line, body: dict[str, Any], projects: set[str]) -> bool:
        if wanted.text is not None:
            return any(form in _text_of(body) for form in {wanted.text, _escaped(wanted.text)})
        if wanted.id is not None:
            return found.id.startswith(wanted.id)
        if wanted.session is not None:
            session = str(body.get("session", ""))
            return session == wanted.session or session.startswith(f"{wanted.session}/")
        if wanted.before is not None:
            return ids.at_ms(found.at) < wanted.before
        if wanted.origin is not None:
            return found.origin == wanted.origin
        if wanted.source is not None:
            source = body.get("source")
            client = source.get("client") if isinstance(source, dict) else None
            return wanted.source in (client, body.get("stated_by"), body.get("client"))
        return body.get("project") in projects or (found.kind == PROJECT and body.get("alias") in projects)

    def _projects(self, wanted: str) -> set[str]:
        """The keys of a project that is named by one of its keys or its name: all that mean it."""
        keys, everything = {wanted}, {wanted}
        said: dict[str, tuple[str | None, tuple[int, str]]] = {}
        for found, body in self.lines():
            if body.get("project"):
                everything.add(str(body["project"]))
            if found.kind == SESSION and body.get("project_name") == wanted:
                keys.add(str(body.get("project")))
            elif found.kind == PROJECT and (told := project_rows.says(body)) is not None:
                when = (ids.hlc_number(found.hlc), found.id)
                everything.add(told[0])
                if told[0] not in said or said[told[0]][1] < when:
                    said[told[0]] = (told[1], when)
        meant = {whole(key, said) for key in keys}
        return {key for key in everything if whole(key, said) in meant}

    def _take(self, plan: Plan, found: Line, body: dict[str, Any]) -> None:
        plan.records.append((found.id, found.key))
        plan.kinds[found.kind] = plan.kinds.get(found.kind, 0) + 1
        if body.get("session"):
            plan.sessions.add(str(body["session"]).partition("/")[0])
        if body.get("project"):
            plan.projects.add(str(body["project"]))
        if found.kind == EVENT and len(plan.examples) < SHOWN:
            said = next((each for each in _words(body)), "")
            plan.examples.append(f"{found.at[:16]} {body.get('category')}/{body.get('type')} {said}".rstrip())

    def _keep_out(self, plan: Plan) -> None:
        """What was chosen by session, project or date is not to come in again from the client's transcripts either."""
        consent, wanted, now = self._opened.consent(), plan.wanted, ids.now_ms()
        if wanted.session is not None:
            consent.leave_out(wanted.session)
        if wanted.before is not None:
            consent.close(None, min(wanted.before, now))
        for project in plan.projects if wanted.project else ():
            consent.close(project, now)

    def _views(self, plan: Plan) -> int:
        """Remove derived files that hold what is forgotten: checkpoints, handoffs, the brief, what an older product left (it was
        taken over long ago), indexes that were set aside, the hooks' log."""
        home, removed = self._opened.home, self._remove_old_indexes()
        gone = {each for each, _key in plan.records}
        others = _said_by(list(self.lines()), set(plan.needles) - {plan.wanted.text})
        forms = [form for each in plan.needles if each not in others for form in _forms(each)]
        for folder in (home.brief, home.checkpoints, home.handoffs, home.predecessor):
            for path in _every(folder):
                quotes = any(each in path for each in gone) or any(form in _bytes(path) for form in forms)
                if quotes or folder == home.brief:  # a brief goes whole: it holds pieces, and is written again
                    os.unlink(path)
                    removed += 1
        if any(form in _bytes(home.hook_log) for form in forms):
            os.unlink(home.hook_log)
            removed += 1
        return removed

    def _remove_old_indexes(self) -> int:
        folder, name = os.path.split(self._opened.home.index)
        found = [each for each in sorted(os.listdir(folder)) if each.startswith(f"{name}.bad-")]
        for each in found:
            os.unlink(os.path.join(folder, each))
        return len(found)

    def _transcripts(self, plan: Plan) -> list[str]:
        """The client's transcripts that still hold it."""
        root = environment().claude_projects
        forms = _forms(plan.wanted.text) if plan.wanted.text else []
        found = []
        for path in _every(root):
            if not path.endswith(".jsonl"):
                continue
            ours = any(session in path for session in plan.sessions)
            if ours if not forms else any(form in _bytes(path) for form in forms):
                found.append(path)
        return found


def _check(wanted: Wanted) -> None:
    given = [name for name in Wanted.__dataclass_fields__ if getattr(wanted, name) is not None]
    if len(given) != 1:
        ways = ", ".join(Wanted.__dataclass_fields__)
        raise InvalidInput("bad-argument", f"Say what to forget in exactly one way of {ways}.")
    value = getattr(wanted, given[0])
    if isinstance(value, str) and not value.strip():
        raise InvalidInput("bad-argument", f"{given[0]} is empty.")
    if wanted.id is not None and (len(wanted.id) < SHORTEST_ID or not all(c in "0123456789abcdef" for c in wanted.id)):
        raise InvalidInput(
            "bad-argument", f"{wanted.id[:60]!r} is no id.", f"Give at least its first {SHORTEST_ID} digits."
        )


def _words(body: dict[str, Any]) -> list[str]:
    """The texts by which what a body says is searched for elsewhere: its values, whole or their beginning, line by line too."""
    found: dict[str, None] = {}
    for each in _values(forgotten.said(body)):
        for part in [each, *each.splitlines()[:MOST_LINES]]:
            for form in (part.strip()[:NEEDLE].strip(), " ".join(part.split())[:NEEDLE].strip()):
                if len(form) >= SHORTEST_NEEDLE and "\n" not in form:
                    found[form] = None
    return list(found)


def _values(value: Any) -> Iterator[str]:
    """Every text in a JSON value but the names of members."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _values(each)


def _text_of(body: dict[str, Any]) -> str:
    """All that a body says, names and numbers included, to be searched."""
    said = forgotten.said(body)
    return "\0".join([*forgotten.strings(said), *_numbers(said)])


def _numbers(value: Any) -> Iterator[str]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield json.dumps(value)
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _numbers(each)


def _quoted(said: str, words: list[str]) -> set[str]:
    """Which of many texts stand in one: those whose beginning stands in it nowhere are passed over at once."""
    beginnings = {said[at : at + SHORTEST_NEEDLE] for at in range(len(said))}
    return {each for each in words if each[:SHORTEST_NEEDLE] in beginnings and each in said}


def _said_by(lines: list[Lines], words: set[str]) -> set[str]:
    """Which of the texts any of these records says."""
    found: set[str] = set()
    if words:
        for _line, body in lines:
            found |= {each for each in words - found if each in _text_of(body)}
    return found


def _escaped(text: str) -> str:
    return json.dumps(clean_text(text), ensure_ascii=False)[1:-1]


def _forms(text: str) -> list[bytes]:
    """How a text may lie in a file: as it is, inside JSON, inside JSON that is ASCII only, and inside JSON inside JSON."""
    clean = clean_text(text)
    forms = {clean, _escaped(clean), json.dumps(clean)[1:-1], _escaped(_escaped(clean))}
    return sorted(each.encode("utf-8") for each in forms)


def _every(root: str) -> Iterator[str]:
    for folder, _folders, names in os.walk(root):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def _bytes(path: str) -> bytes:
    try:
        with open(paths.open_file(path, os.O_RDONLY), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""  # another process was first
