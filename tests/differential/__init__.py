"""A differential test: archives of every layout are decoded by fastq-dump and in process, and compared.

    python -m tests.differential --seed 1 --seconds 3600
    python -m tests.differential --archives DIRECTORY
    python -m tests.differential --case 1-4711 --keep DIRECTORY

Each case is drawn from its seed: the table types, columns, spots and habits of an archive, which the toolkit's loaders
then make.  A case ends

- *same*: both decoders return the same reads and counts, for the whole archive and for a slice;
- *declined*: the in-process decoder does not support the archive, so that fastq-dump decodes it;
- *both fail*: neither decodes it;
- *undefined*: fastq-dump itself returns other reads each time, because it reads memory that is not a cell;
- *not made*: the loader rejects the case.

Anything else is a defect, and ends the test with exit code 1: *different*, *decoded alone* (fastq-dump fails) and
*died* (the in-process decoder crashed or hung).
"""
