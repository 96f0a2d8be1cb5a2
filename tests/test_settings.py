"""Settings: what is right is used, what is wrong is named, and a repository's .env moves nothing unasked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from session_memory import settings
from session_memory.errors import InvalidInput
from session_memory.memory import Memory


def written(home: str, content: Any) -> settings.Settings:
    os.makedirs(home, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    Path(home, "config.json").write_text(text, encoding="utf-8")
    return settings.load(home, environ={})


def test_the_first_run_writes_defaults_that_load_without_a_problem(home: str) -> None:
    os.makedirs(home)
    settings.write_defaults(home)
    found = settings.load(home, environ={})
    assert found.problems == [] and found.durability == "stated" and found.auto_checkpoint_seconds == 300
    assert found.origin("durability") == "config.json"
    assert {name for name, _value, _origin in found.rows()} >= {row[0] for row in settings.TABLE}


@pytest.mark.fault(45)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{half", "no JSON"),
        ("[1]", "must hold an object"),
        ({"durabilty": "all"}, "did you mean durability"),
        ({"durability": "some"}, "stated, all, none"),
        ({"auto_checkpoint_interval_minutes": "five"}, "a number"),
        ({"auto_checkpoint_interval_minutes": 0}, "0.1 to 1440"),
        ({"auto_checkpoint_max_count": 2.5}, "a whole number"),
        ({"auto_checkpoint_max_count": True}, "a whole number"),
        ({"features": {"learning": "yes"}}, "true or false"),
        ({"capture": {"exclude": "x"}}, "list of texts"),
        ({"events_file": "../../x"}, "inside the home"),
        ({"index_file": "/etc/x"}, "inside the home"),
        ({"features": {"cloud_sync": {"regoin": 1}}}, "is no setting"),
    ],
)
def test_what_is_wrong_is_named_and_the_default_used(home: str, content: Any, said: str) -> None:
    found = written(home, content)
    assert any(said in problem for problem in found.problems), found.problems
    fresh = settings.Settings()
    assert [found.value(row[0]) for row in settings.TABLE] == [fresh.value(row[0]) for row in settings.TABLE]


@pytest.mark.fault(45)
@hypothesis_settings(max_examples=80, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda i: st.lists(i) | st.dictionaries(
    st.sampled_from(["features", "capture", "context", "durability", "budget_tokens", "x"]), i), max_leaves=8))  # fmt: skip
def test_any_config_loads(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    found = written(str(tmp_path_factory.mktemp("config")), content)
    assert found.durability in ("stated", "all", "none")


@pytest.mark.fault(45)
def test_variables_win_over_files_in_the_stated_order(home: str, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    os.makedirs(home)
    user = Path(os.path.expanduser("~/.claude"))
    user.mkdir()
    (user / ".env").write_text(
        "\ufeffexport OPENAI_API_KEY='user key'\r\nCF_API_BASE_URL=\"http://x\" # c\n# no\nbad line\nA=b #c\n"
    )
    (project / ".env").write_text("OPENAI_API_KEY=project\nCF_API_BASE_URL=http://evil\nPATH=/evil\n")
    found = settings.load(home, environ={}, cwd=str(project))
    assert (found.value("OPENAI_API_KEY"), found.origin("OPENAI_API_KEY")) == ("user key", "~/.claude/.env")
    assert found.value("CF_API_BASE_URL") == "http://x"
    assert found.ignored and "OPENAI_API_KEY" in found.ignored[0] and "CF_API_BASE_URL" not in found.ignored[0]
    Path(home, "trusted.json").write_text(json.dumps([os.path.realpath(project)]))
    found = settings.load(home, environ={}, cwd=str(project))
    assert (found.value("OPENAI_API_KEY"), found.origin("OPENAI_API_KEY")) == ("project", "project .env")
    assert found.value("CF_API_BASE_URL") == "http://x"  # endpoints never come from a project
    found = settings.load(home, environ={"OPENAI_API_KEY": "explicit"}, cwd=str(project))
    assert (found.value("OPENAI_API_KEY"), found.origin("OPENAI_API_KEY")) == ("explicit", "environment")
    assert ("OPENAI_API_KEY", "set", "environment") in found.rows()


def test_secret_looking_variables_are_known_to_redaction_and_others_are_not() -> None:
    known = settings.secret_values(
        {"MY_API_KEY": "abcdefgh1234", "PATH": "/usr/bin:/bin", "SHORT_TOKEN": "abc", "HOME": "/h", "DB_PASS": "tr0ub4dor",
         "AWS_SECRET_ACCESS_KEY": "/beginsWithASlash/as/some/do", "GIT_AUTHOR_NAME": "Ann Miller", "GIT_ASKPASS": "/bin/sh",
         "PWD": "/gone/since", "OLDPWD": "/gone/too", "GIT_AUTHOR_TOKEN": "12345678x"}
    )  # fmt: skip
    assert known == ("abcdefgh1234", "tr0ub4dor", "/beginsWithASlash/as/some/do", "12345678x")


def test_the_environment_says_who_we_are() -> None:
    around = settings.environment({"SESSION_MEMORY_OFF": "1", "CLAUDE_CODE_SESSION_ID": "s", "NO_COLOR": "1"})
    assert (around.off, around.client_session, around.no_color, around.home) == (True, "s", True, None)
    assert "GIT_DIR" not in settings.child_environment({})


@pytest.mark.fault(46)
@pytest.mark.parametrize("name", ["events_file", "index_file", "checkpoints_dir", "handoffs_dir"])
def test_a_path_that_leaves_the_home_through_a_link_is_not_used(home: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").mkdir()
    os.makedirs(home)
    os.symlink(tmp_path / "outside", os.path.join(home, "link"))
    found = written(home, {name: "link/x/y"})
    assert any("symbolic link link" in each for each in found.problems)
    assert found.value(name) == settings.Settings().value(name) and found.origin(name) == "default"


@pytest.mark.fault(45)
@pytest.mark.parametrize(
    "content",
    [{"redaction": {"patterns": "one"}}, {"redaction": {"patterns": [1]}}, {"capture": {"exclude": 5}},
     '{"redaction": {"patterns": ["MYKEY-[0-9]+"]}, "durab', '{"capture": {"exclude": ["*.env"'],
)  # fmt: skip
def test_what_keeps_things_out_of_the_memory_is_never_replaced_by_a_default(home: str, content: Any) -> None:
    assert written(home, content).unsafe
    with pytest.raises(InvalidInput, match="bad-settings"):
        Memory(home)
    assert not os.path.exists(os.path.join(home, "storage"))


@pytest.mark.fault(45)
@pytest.mark.parametrize(
    "spoilt", ["{half", '{"events_file": 5}', '{"events_file": "../x"}', '{"events_file": "link/x"}']
)
def test_a_log_elsewhere_in_the_home_is_not_hidden_by_a_new_one(home: str, tmp_path: Path, spoilt: str) -> None:
    written(home, {"events_file": "elsewhere/log.jsonl"})
    os.chmod(home, 0o700)
    with Memory(home) as memory:
        memory.events.record("finding", "bug", {"text": "kept"})
    os.symlink(tmp_path, os.path.join(home, "link"))
    Path(home, "config.json").write_text(spoilt)
    with pytest.raises(InvalidInput, match="there is one in elsewhere"):
        Memory(home)
    assert not os.path.exists(os.path.join(home, "storage"))


@pytest.mark.fault(45)
def test_a_cut_off_config_that_protects_nothing_starts_with_defaults_and_says_so(
    home: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for cut in range(0, len(settings.default_config_text()) - 2, 97):
        written(home, settings.default_config_text()[:cut])
        os.chmod(home, 0o700)
        with Memory(home) as memory:
            memory.events.record("finding", "bug", {"text": "kept"})
            assert any("config.json is no JSON" in each for each in memory.opened.warnings)
            assert any("config.json is no JSON" in each for each in memory.health.report()["warnings"])
    assert "config.json is no JSON" in capsys.readouterr().err
