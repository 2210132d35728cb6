-- Running totals stand beside what they count, so that no append counts anything.

CREATE TABLE families (
    id    INTEGER PRIMARY KEY,
    name  TEXT    NOT NULL UNIQUE,
    bytes INTEGER NOT NULL,         -- of all its records' values
    floor INTEGER NOT NULL          -- the highest sequence of logs that are forgotten because they are empty
) STRICT;

CREATE TABLE logs (
    id      INTEGER PRIMARY KEY,
    family  INTEGER NOT NULL REFERENCES families,
    name    TEXT    NOT NULL,
    last    INTEGER NOT NULL,       -- the highest sequence that was ever given
    entries INTEGER NOT NULL,       -- never 0: an empty log is forgotten
    bytes   INTEGER NOT NULL,
    UNIQUE (family, name)
) STRICT;

CREATE TABLE records (
    id       INTEGER PRIMARY KEY,   -- rises in the order in which they came, over all logs
    family   INTEGER NOT NULL,
    log      INTEGER NOT NULL REFERENCES logs,
    sequence INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    value    BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_by_log ON records (log, sequence);
CREATE INDEX records_by_family ON records (family);

CREATE TABLE documents (
    collection TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    value      BLOB    NOT NULL,
    PRIMARY KEY (collection, key)
) STRICT, WITHOUT ROWID;

-- One counter for all, so that a document that is deleted and made again has a revision that it never had.
CREATE TABLE revisions (last INTEGER NOT NULL) STRICT;
INSERT INTO revisions VALUES (0);
