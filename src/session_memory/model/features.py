"""What this version can do and what it cannot do yet: the list `status` shows, so that nothing is promised silently."""

from __future__ import annotations

# name -> (works, what it is)
FEATURES: dict[str, tuple[bool, str]] = {
    "log": (True, "append-only log with chain, redaction before the first write, verify"),
    "index": (True, "search index that catches up and rebuilds itself"),
    "session tools": (True, "init, record, query, checkpoint, list, resume, handoff, status"),
    "resources and prompts": (True, "memory:// resources; prompts resume, handoff, recall"),
    "import claude-code": (True, "Claude Code transcripts into the memory"),
    "plugins": (True, "generic, your own files, entry points; a starter file and a trial of your own"),
    "spool": (True, "records kept aside while the log is locked"),
    "segments": (True, "the log rolls at 64 MB"),
    "predecessor home": (True, "homes of the older product are opened whole"),
    "doctor, backup, restore": (True, "diagnosis and copies"),
    "hooks": (True, "recording by itself inside Claude Code; what they missed is completed from its transcripts"),
    "pause, exclude, forget": (True, "what may be kept, and removal with proof"),
    "install": (True, "wiring of Claude Code and Claude Desktop, taken back exactly"),
    "context": (
        True,
        "facts put into a new session, after a compaction and at prompts by themselves, with their reasons",
    ),
    "speckit, spec-refiner": (True, "state of those two skills"),
    "learning": (True, "lessons with confidence that moves with their outcomes"),
    "questions": (True, "what is open in every session, and answers from outside"),
    "entities": (True, "knowledge graph: stated, and mentioned by events"),
    "documents": (True, "PDF, DOCX, HTML, Markdown, text and code read in and found like events"),
    "work memory": (True, "how a command was run, what helped against an error, what shaped a file; golden questions"),
    "embeddings": (True, "search by meaning: a table that we ship; OpenAI or a package's provider with your consent"),
    "cloud_sync": (True, "several devices through a folder, sealed; off until `sync init`"),
    "web": (False, "pages for people"),
}

# Tools of features that config.json can switch off (settings.TABLE): a tool of one that is off is not listed.
SWITCHED: dict[str, tuple[str, ...]] = {
    "features.learning": ("session_learn", "learning_create", "learning_apply"),
    "features.entities": ("entity_create", "entity_link", "entity_query"),
    "features.document_ingest": ("session_ingest",),
    "features.cloud_sync.enabled": ("sync_status", "sync_push", "sync_pull"),
}
OFF_AT_FIRST = ("features.cloud_sync.enabled",)  # nobody has to be told that it is off
