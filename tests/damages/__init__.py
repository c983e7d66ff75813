"""A campaign of damages: whatever happens to an archive, on the way or on disk, no wrong bytes are ever accepted.

    python -m tests.damages --wire 2000 --disk 2000 --decoded 10000 --seed 1 [--archives DIRECTORY]

Each case is drawn from the seed and its number: an archive, a part of it, a damage, and who serves it to whom.  A case
ends *right* if every byte that a decoder needs is that of the undamaged archive, or with the *reason* for which the job
would wait or fail.  A file on disk without md5 sums that the locator does not list is refused under default
settings; a damaged archive that is decoded without a proof (*unproved*) is one that no job would decode.
Damaged archives are also given to the in-process decoder (decoded.py): one that its sums prove must be decoded as
fastq-dump does.  A *crash* ends only the process of that decoder.
Anything else is *wrong*, and ends the campaign with exit code 1.  Where one location has the right
bytes, or the damage happens only once, a reason is a defect too (*not cured*).
"""
