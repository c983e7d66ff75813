-- Version 18: the field `name` of a signature, where it is more than the name that the signature is stored under.

-- That of an assembly has its organism: "GCA_000005845.2 Escherichia coli str. K-12 substr. MG1655 ..., ASM584v2".
ALTER TABLE sketches ADD COLUMN title TEXT NOT NULL DEFAULT '';
