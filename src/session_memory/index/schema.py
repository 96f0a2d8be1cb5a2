"""The index's tables, explained: this text is what SQLite runs and what the reference page shows.

Everything here can be thrown away: `session-memory rebuild` makes it again from the log. A change of SCHEMA raises
SCHEMA_VERSION, and an older index is then rebuilt, never migrated.
"""

from __future__ import annotations

APPLICATION_ID = 0x534D656D  # "SMem": how we know that a database is ours
SCHEMA_VERSION = 5

SCHEMA = """
-- Which index this is: another one, made later from the same log, may number its events otherwise.
CREATE TABLE made (id TEXT NOT NULL);
INSERT INTO made SELECT lower(hex(randomblob(16)));

-- How far each origin's log has been applied. (seq, chain) is the truth; file and the offsets are a hint.
CREATE TABLE position (
  origin TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,          -- number of the last line applied
  chain TEXT NOT NULL,           -- its chain: another one at this number means another log, so rebuild
  file TEXT NOT NULL,            -- name of the file it lies in, relative to the storage folder
  begins INTEGER NOT NULL,       -- offset of its first byte
  ends INTEGER NOT NULL          -- offset behind its newline
) WITHOUT ROWID;

-- Lines that were seen but mean nothing here: newer versions, unknown kinds, forgotten or unreadable bodies.
CREATE TABLE skipped (why TEXT PRIMARY KEY, lines INTEGER NOT NULL) WITHOUT ROWID;

-- What the work is about: one row a key. What is recorded stays under its key; reads go by `whole`.
CREATE TABLE project (
  n INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,      -- git:host/owner/name, root:<commit> or dir:<path>
  name TEXT NOT NULL,            -- what people call it
  named INTEGER,                 -- clock of the first record that said so; NULL while the name is made from the key
  whole TEXT NOT NULL            -- the key that stands for all that mean this project: its own, unless said otherwise
);
CREATE INDEX project_whole ON project (whole);

-- What was said about a key: which one it belongs to. The last word by clock counts; target NULL takes it back.
CREATE TABLE project_alias (
  key TEXT PRIMARY KEY,
  target TEXT,
  hlc INTEGER NOT NULL,
  record TEXT NOT NULL           -- id of the record that said so
) WITHOUT ROWID;

-- A span of work of one client. Everything that can be said twice stands in session_field.
CREATE TABLE session (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,       -- the client's own session id where there is one
  project_n INTEGER NOT NULL REFERENCES project,
  started INTEGER NOT NULL,      -- ms since 1970: the earliest time anything of it happened
  first_hlc INTEGER NOT NULL     -- clock of the record that made the row
);
CREATE INDEX session_project ON session (project_n, started);

-- One row a field of a session; the last writer by clock wins, for `how` and `parent_session` the first.
CREATE TABLE session_field (
  session_n INTEGER NOT NULL REFERENCES session,
  name TEXT NOT NULL,            -- client, skill, how, parent_session, cwd, branch, commit, config, title, ended
  value TEXT NOT NULL,
  hlc INTEGER NOT NULL,
  PRIMARY KEY (session_n, name)
) WITHOUT ROWID;

-- Something a session noted: one row an event; where a key was recorded twice, the first, filled from the others.
CREATE TABLE event (
  n INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: vectors are kept by it
  id BLOB NOT NULL UNIQUE,       -- 16 bytes: the record id
  at INTEGER NOT NULL,           -- when it happened, ms since 1970
  hlc INTEGER NOT NULL,          -- when we learned it: ms * 10,000 + counter; breaks ties of `at`
  session_n INTEGER NOT NULL REFERENCES session,
  project_n INTEGER NOT NULL REFERENCES project,
  category TEXT NOT NULL,
  type TEXT NOT NULL,
  stated_by TEXT NOT NULL,       -- user, model, rule, tool or import
  parent BLOB,                   -- id of the event it answers: 16 bytes, or the text of another program's id
  key TEXT,                      -- idempotency key
  data TEXT NOT NULL,            -- JSON object
  more TEXT,                     -- JSON object of what few events have: tags, source, branch, commit
  document_n INTEGER             -- a chunk of this document: no event of the log, found by words or by its type
);
CREATE INDEX event_at ON event (at, document_n); -- document_n: so that counting reads the index alone
CREATE INDEX event_project ON event (project_n, at, document_n);
CREATE INDEX event_category ON event (project_n, category, at, document_n);
CREATE INDEX event_session ON event (session_n, at, document_n);
CREATE INDEX event_parent ON event (parent) WHERE parent IS NOT NULL;
-- marks: events that say of another one that it is accepted, rejected, superseded or wrong
CREATE INDEX event_mark ON event (parent) WHERE parent IS NOT NULL AND category = 'decision'
  AND type IN ('accepted', 'rejected', 'superseded', 'wrong', 'cleared');
CREATE INDEX event_document ON event (document_n) WHERE document_n IS NOT NULL;
CREATE UNIQUE INDEX event_key ON event (key) WHERE key IS NOT NULL;

-- Tags of events, one row each.
CREATE TABLE tag (tag TEXT NOT NULL, event_n INTEGER NOT NULL, PRIMARY KEY (tag, event_n)) WITHOUT ROWID;
CREATE INDEX tag_event ON tag (event_n);

-- All versions of an event whose key was recorded more than once, as they came.
CREATE TABLE twin (key TEXT NOT NULL, hlc INTEGER NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (key, hlc, id)) WITHOUT ROWID;

-- The words of events. `text` is what people read; `parts` holds what the tokenizer would lose: split identifiers,
-- pairs of CJK characters, symbol words such as C++. The text is not stored twice: the view makes it again.
CREATE VIEW event_words AS SELECT n, words_text(data) AS text, words_parts(type, more, data) AS parts FROM event;
CREATE VIRTUAL TABLE event_text USING fts5 (
  text, parts, content='event_words', content_rowid='n', tokenize='porter unicode61 remove_diacritics 2'
);
INSERT INTO event_text (event_text, rank) VALUES ('secure-delete', 1);

-- A named position in the log with the plugin's state and a summary.
CREATE TABLE checkpoint (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  session_n INTEGER NOT NULL REFERENCES session,
  project_n INTEGER NOT NULL REFERENCES project,
  name TEXT NOT NULL,
  type TEXT NOT NULL,            -- manual (kept) or auto (rolling)
  at INTEGER NOT NULL,
  hlc INTEGER NOT NULL,
  key TEXT UNIQUE,               -- idempotency key: of several with one key the first by (hlc, id)
  body TEXT NOT NULL             -- JSON object as recorded
);
CREATE INDEX checkpoint_project ON checkpoint (project_n, hlc);
CREATE INDEX checkpoint_session ON checkpoint (session_n, type, hlc);

-- Lessons that can be used again. What outcomes and merges say of them is counted here, anew with each of those.
CREATE TABLE learning (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,       -- what tools call it
  record TEXT NOT NULL,          -- id of the record it stands for; of several the last by (hlc, record)
  project_n INTEGER NOT NULL REFERENCES project,
  category TEXT NOT NULL,        -- pattern, decision or anti-pattern
  title TEXT NOT NULL,
  given REAL NOT NULL,           -- confidence as it was stated
  confidence REAL NOT NULL,      -- after all outcomes
  success INTEGER NOT NULL DEFAULT 0,
  partial INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  used INTEGER NOT NULL DEFAULT 0,    -- outcomes, and the uses that an older product counted
  shown INTEGER NOT NULL DEFAULT 0,   -- sessions it was shown to
  last INTEGER NOT NULL,         -- when it was stated or used last, ms since 1970
  merged_into TEXT,              -- id of the learning that stands for it now
  at INTEGER NOT NULL,
  hlc INTEGER NOT NULL,
  body TEXT NOT NULL             -- JSON object as recorded
);
CREATE INDEX learning_confidence ON learning (project_n, confidence);

-- What became of learnings, one row a record.
CREATE TABLE outcome (
  id TEXT PRIMARY KEY,           -- id of the record
  learning TEXT NOT NULL,        -- id of a learning
  outcome TEXT NOT NULL,         -- success, partial, failed, shown or merged
  session TEXT NOT NULL,         -- where it was used or shown
  at INTEGER NOT NULL,
  hlc INTEGER NOT NULL,
  key TEXT UNIQUE,               -- idempotency key: of several with one key the first by (hlc, id)
  notes TEXT
) WITHOUT ROWID;
CREATE INDEX outcome_learning ON outcome (learning);

-- Which learning was put in the place of which; of several words on one the last by (hlc, record) counts.
CREATE TABLE merge (learning TEXT NOT NULL, hlc INTEGER NOT NULL, record TEXT NOT NULL, target TEXT NOT NULL,
  PRIMARY KEY (learning, hlc, record, target)) WITHOUT ROWID;
CREATE INDEX merge_target ON merge (target);

-- The words of learnings, as event_text holds those of events.
CREATE VIRTUAL TABLE learning_text USING fts5 (text, parts, tokenize='porter unicode61 remove_diacritics 2');
INSERT INTO learning_text (learning_text, rank) VALUES ('secure-delete', 1);

-- Things that are talked about: stated by somebody (record), mentioned by events (seen), or both; else only the end of
-- a relation, known by its id.
CREATE TABLE entity (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,       -- made from project, type and qualified name, keyed: the same on every device
  project_n INTEGER REFERENCES project, -- NULL: only the end of a relation
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  qualified_name TEXT,
  record TEXT,                   -- id of the record it was stated by last; NULL: rules found it in events
  session_n INTEGER,             -- where it was stated
  at INTEGER,
  hlc INTEGER,
  body TEXT                      -- JSON object as recorded
);
CREATE INDEX entity_name ON entity (name COLLATE NOCASE);
CREATE INDEX entity_qualified ON entity (qualified_name) WHERE qualified_name IS NOT NULL;
CREATE INDEX entity_kind ON entity (project_n, type, name, qualified_name); -- a pattern reads the index alone
CREATE INDEX entity_stated ON entity (project_n, type, name) WHERE record IS NOT NULL;

-- Which events mention an entity. Rules find it when an event is applied (model/mentions.py); nothing of it is recorded.
CREATE TABLE seen (
  entity_n INTEGER NOT NULL,
  event_n INTEGER NOT NULL,
  how INTEGER NOT NULL,          -- 1 read, 2 edited, 3 named
  PRIMARY KEY (entity_n, event_n)
) WITHOUT ROWID;
CREATE INDEX seen_event ON seen (event_n);

-- The words of entities: names with the pieces of identifiers, and what is said about them.
CREATE VIRTUAL TABLE entity_text USING fts5 (
  names, about, content='', contentless_delete=1, detail=column, tokenize='porter unicode61 remove_diacritics 2'
);

-- Named, directed links between entities, stated or shown by events (proof).
CREATE TABLE relation (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,       -- made from both ends and the type, keyed
  source_n INTEGER NOT NULL REFERENCES entity,
  target_n INTEGER NOT NULL REFERENCES entity,
  type TEXT NOT NULL,
  record TEXT,                   -- NULL: rules found it in events
  at INTEGER,
  hlc INTEGER,
  valid_from INTEGER,            -- ms since 1970; NULL: since the first event that shows it
  valid_to INTEGER,              -- NULL: still
  body TEXT
);
CREATE INDEX relation_source ON relation (source_n, type);
CREATE INDEX relation_target ON relation (target_n, type);

-- Which events show a relation.
CREATE TABLE proof (relation_n INTEGER NOT NULL, event_n INTEGER NOT NULL, PRIMARY KEY (relation_n, event_n)) WITHOUT ROWID;

-- Files that were read in. Their text is cut into chunks, which stand in event: of one file those of its last record.
CREATE TABLE document (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL,
  project_n INTEGER NOT NULL REFERENCES project,
  name TEXT NOT NULL,
  path TEXT,
  at INTEGER NOT NULL,
  hlc INTEGER NOT NULL,
  body TEXT NOT NULL
);

-- Questions of the user's own, with the events that answer them: what search is measured by. The last word by clock counts.
CREATE TABLE golden (
  id TEXT PRIMARY KEY,
  record TEXT NOT NULL,          -- id of the record that said so last
  project_n INTEGER NOT NULL REFERENCES project,
  question TEXT,                 -- NULL once removed
  expect TEXT NOT NULL,          -- JSON list of event ids, any of which answers it
  at INTEGER NOT NULL,
  hlc INTEGER NOT NULL
) WITHOUT ROWID;

-- What the next session was told: handoffs and resumes, never found by a search of events.
CREATE TABLE handoff (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,            -- handoff or resume
  session_n INTEGER NOT NULL REFERENCES session,
  project_n INTEGER NOT NULL REFERENCES project,
  at INTEGER NOT NULL,
  hlc INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX handoff_project ON handoff (project_n, kind, hlc);
"""
