"""Names of signatures: the accession of a run, or a local name.

A text from outside is parsed once into one of the two types.  A value of these types is safe as part of a file name, as
part of an object key and as an argument of a tool: fastq-dump would otherwise act on `-h`, `../x` and `http://...`.
"""

import re

from wort_cli.errors import InvalidAccession, InvalidName, UsageError

RUN = re.compile(r"[SDE]RR[0-9]{6,9}")
OTHER_RECORD = re.compile(r"[SDE]R[XPSZ][0-9]{6,9}|PRJ[A-Z]{2}[0-9]+|SAM[A-Z]+[0-9]+")
LOCAL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Accession(str):
    """The accession of a run: SRR (NCBI), ERR (ENA) or DRR (DDBJ), then 6 to 9 digits."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Accession":
        """Return the accession in `text`.  Raises InvalidAccession unless `text` is exactly the accession of a run."""
        if RUN.fullmatch(text):
            return cls(text)
        if RUN.fullmatch(text.strip().upper()) and text.isascii():  # typed_names.py takes what people type
            raise InvalidAccession(text, f"did you mean {text.strip().upper()}?")
        if OTHER_RECORD.fullmatch(text):
            raise InvalidAccession(
                text, "this is a study, a sample or an experiment; use the accessions of its runs (SRR, ERR or DRR)"
            )
        raise InvalidAccession(text)


class LocalName(str):
    """The name of a signature that was computed from a local file; such a signature is never published."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "LocalName":
        """Return the name in `text`.  Raises InvalidName if it cannot be part of a file name."""
        if not LOCAL_NAME.fullmatch(text):
            raise InvalidName(text)
        return cls(text)


Name = Accession | LocalName


def parse_name(text: str) -> Name:
    """Return `text` as an Accession if it is one, else as a LocalName.  Raises InvalidName if it is neither."""
    try:
        return Accession.parse(text)
    except UsageError:
        return LocalName.parse(text)
