"""A provider of embeddings from end to end: the how-to page is executed, and a server embeds by itself while it works."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.embed.loopback import KEY, Loopback
from tests.mcp_server.raw_client import PATIENCE, RawClient

from session_memory.memory import Memory

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "how-to" / "use-openai-embeddings.md").read_text(encoding="utf-8")


@pytest.fixture
def server() -> Iterator[Loopback]:
    made = Loopback()
    yield made
    made.close()


def consented(home: str, base_url: str, **more: Any) -> None:
    """The page's configuration, with another address."""
    config = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
    config["features"]["embeddings"].update(base_url=base_url, **more)
    Path(home).mkdir(mode=0o700, exist_ok=True)
    (Path(home) / "config.json").write_text(json.dumps(config))


def test_the_how_to_is_executed(home: str, tmp_path: Path, server: Loopback) -> None:
    claude = Path.home() / ".claude"
    claude.mkdir()
    variable = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)[0]
    (claude / ".env").write_text(variable.replace("sk-...", KEY))
    with Memory(home, cwd=str(tmp_path)) as memory:
        memory.events.record("finding", "bug", {"text": "the vehicle would not start"})
    (Path(home) / "config.json").unlink()
    consented(home, server.url)
    shown = ""
    for line in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)[0].splitlines():
        words = [sys.executable, "-m", "session_memory", *line.split()[1:], "--home", home]
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        shown += done.stdout
    assert shown.count("openai: 1 of 1 events have a vector of openai:text-embedding-3-small") == 2 and KEY not in shown
    assert server.texts == ["the vehicle would not start"]


def test_the_pages_own_provider_works() -> None:
    from session_memory.embed.provider import encoded

    space: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0], space)
    provider = space["Lengths"]({"model": None, "api_key": None, "base_url": None})
    assert provider.model == "lengths-1" and encoded(provider, ["a", "bb"], 2).shape == (2, 2)


def test_a_server_embeds_by_itself_whatever_the_provider_does_meanwhile(
    home: str, tmp_path: Path, server: Loopback
) -> None:
    consented(home, server.url, model="letters")
    server.always = "500"
    words = [sys.executable, "-m", "session_memory", "serve", "--home", home]
    with RawClient(words, cwd=str(tmp_path), env={"OPENAI_API_KEY": KEY}) as client:

        def asked(tool: str, **given: Any) -> dict[str, Any]:
            return json.loads(client.call(tool, **given)["content"][0]["text"])  # type: ignore[no-any-return]

        def waited(name: str, value: Any) -> dict[str, Any]:
            end = time.monotonic() + PATIENCE
            while True:
                found = asked("session_status")["health"]["embeddings"]
                if value in str(found.get(name, "")):
                    return found
                assert time.monotonic() < end, found
                time.sleep(0.2)

        kept = asked("session_record", category="finding", type="bug", data={"text": "the vehicle would not start"})
        assert kept["stored"] == "log" and kept["indexed"]
        assert "(500)" in waited("trouble", "embeddings-failed")["trouble"]
        found = asked("session_semantic_search", query="car engine trouble")
        assert "vehicle" in found["results"][0]["snippet"] and "(500)" in found["note"]
        server.always = ""
        assert waited("embedded", "1")["model"] == f"openai:letters at {server.url}"
        assert asked("session_semantic_search", query="vehicle")["model"] == f"openai:letters at {server.url}"
    assert server.texts[-1] == "vehicle"
