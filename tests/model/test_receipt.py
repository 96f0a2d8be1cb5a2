"""Receipts: what became of the tree, told once, our own files first."""

from __future__ import annotations

from session_memory.git import Changes, Commit
from session_memory.model.amounts import span
from session_memory.model.receipt import MOST_COMMITS, Receipt, compare

ANN, BEN = Commit("aaa1111", "Ann", 0, "leak slowly"), Commit("bbb2222", "Ben", 0, "drop it")


def changes(**members: object) -> Changes:
    made = Changes(str(members.pop("reason", "")))
    for name, value in members.items():
        setattr(made, name, value)
    return made


def told(found: Changes, ours: list[str] | None = None, gone: tuple[str, ...] = ()) -> Receipt:
    return compare(found, "c0ffee00", "Since the checkpoint", ours or [], lambda path: path not in gone)


def test_each_of_our_files_says_what_became_of_it_and_by_whom() -> None:
    found = changes(
        commits=[ANN, BEN],
        files={"a.py": ("M", ANN), "b.py": ("D", BEN), "c.py": ("A", ANN), "x.py": ("M", BEN)},
        dirty={"a.py": "M", "new/": "??", "y.py": "M"},
    )
    ours = ["a.py", "b.py", "c.py", "new/d.py", "e.py", "same.py"]
    receipt = told(found, ours, gone=("b.py", "e.py"))
    assert receipt.ours == {
        "a.py": "changed since by Ann in aaa1111, then not committed",
        "b.py": "deleted since by Ben in bbb2222",
        "c.py": "committed since by Ann in aaa1111",
        "new/d.py": "not committed",
        "e.py": "gone",
    }
    assert receipt.headline == "2 commits by Ann, Ben; 5 of 6 files we edited changed, see Files; 3 files not committed"
    assert receipt.lines == [
        "aaa1111 leak slowly (Ann)", "bbb2222 drop it (Ben)", "M x.py", "not committed: ?? new/", "not committed: M y.py",
    ]  # fmt: skip
    assert receipt.heading == "Changed since the checkpoint"


def test_nothing_new_is_said_too_and_one_author_is_named_once() -> None:
    assert told(changes(), ["a.py"]).headline == "no commit"
    receipt = told(changes(commits=[ANN]))
    assert (receipt.headline, receipt.lines) == ("1 commit by Ann", ["aaa1111 leak slowly"])


def test_a_commit_that_is_gone_is_said_and_what_is_not_committed_all_the_same() -> None:
    found = changes(reason="commit c0ffee00 is not in this checkout", dirty={"a.py": "M"})
    receipt = told(found, ["a.py"])
    assert receipt.headline.startswith("commit c0ffee00 is not in this checkout; 1 of 1 file we edited")
    assert receipt.ours == {"a.py": "not committed"}
    assert (
        compare(changes(reason="no commit was noted then"), "", "Since the session began", [], lambda _: True).whole()
        == []
    )


def test_commits_of_then_that_are_no_longer_in_the_branch_are_counted() -> None:
    assert "1 commit of then no longer in this branch" in told(changes(commits=[ANN], behind=1)).headline


def test_long_lists_are_counted() -> None:
    many = [Commit(f"{n:07x}", f"author {n}", 0, "x" * 500) for n in range(MOST_COMMITS + 3)]
    receipt = told(changes(commits=many, more_commits=7, dirty={f"{n}.py": "M" for n in range(50)}))
    assert "and 10 more commits" in receipt.lines and receipt.lines[-1] == "and 30 more files"
    assert receipt.headline.startswith("30 commits by author 0, author 1, author 2 and 20 more")
    assert max(map(len, receipt.lines)) < 130


def test_a_name_cannot_start_a_line_of_its_own() -> None:
    receipt = told(changes(commits=[Commit("aaa1111", "A\n# B", 0, "x\n## y")], files={}))
    assert "\n" not in "".join([receipt.headline, *receipt.lines])


def test_spans_are_told_in_their_largest_unit() -> None:
    hour = 3_600_000
    spans = [(0, "less than an hour"), (hour, "1 hour"), (30 * hour, "1 day"), (24 * 13 * hour, "13 days"),
             (24 * 14 * hour, "2 weeks"), (24 * 70 * hour, "2 months"), (24 * 400 * hour, "1 year")]  # fmt: skip
    assert [span(ms) for ms, _text in spans] == [text for _ms, text in spans]
