-- Version 12: the sketches of each signature, so that collections and catalogs need not read the signatures.

-- One row for each sketch, in the order of the file.  A signature without rows is read when they are needed.
CREATE TABLE sketches (
    name           TEXT    NOT NULL,
    profile        TEXT    NOT NULL,
    position       INTEGER NOT NULL,
    md5            TEXT    NOT NULL,   -- of sourmash
    ksize          INTEGER NOT NULL,   -- in letters of the molecule
    moltype        TEXT    NOT NULL,
    num            INTEGER NOT NULL,
    scaled         INTEGER NOT NULL,
    n_hashes       INTEGER NOT NULL,
    with_abundance INTEGER NOT NULL,
    abundance_sum  INTEGER,            -- NULL if it has none, or needs more than 63 bits
    filename       TEXT    NOT NULL,
    PRIMARY KEY (name, profile, position)
) WITHOUT ROWID, STRICT;

CREATE TRIGGER other_content_has_other_sketches AFTER UPDATE OF digest, sha256 ON signatures
WHEN NEW.digest <> OLD.digest OR NEW.sha256 <> OLD.sha256
BEGIN
    DELETE FROM sketches WHERE name = OLD.name AND profile = OLD.profile;
END;

CREATE TRIGGER a_removed_signature_has_no_sketches AFTER DELETE ON signatures
BEGIN
    DELETE FROM sketches WHERE name = OLD.name AND profile = OLD.profile;
END;
