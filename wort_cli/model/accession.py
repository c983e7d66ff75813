"""Names of signatures: the accession of a run, or a local name.

Both are parsed once, at the edge, into a type; whatever holds one of the types is safe to be part of a file name, an
object key and an argument of a tool.  (fastq-dump takes `-h`, `../x` and `http://...` for what they say.)
"""

import re

from wort_cli.errors import InvalidAccession, InvalidName, UsageError

RUN = re.compile(r"[SDE]RR[0-9]{6,9}")
OTHER_RECORD = re.compile(r"[SDE]R[XPSZ][0-9]{6,9}|PRJ[A-Z]{2}[0-9]+|SAM[A-Z]+[0-9]+")
LOCAL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Accession(str):
    """The accession of a run in the INSDC archives: SRR (NCBI), ERR (ENA) or DRR (DDBJ), then 6 to 9 digits."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Accession":
        """Check `text`; InvalidAccession if it is anything but a run's accession, letter for letter."""
        if RUN.fullmatch(text):
            return cls(text)
        if RUN.fullmatch(text.strip().upper()) and text.isascii():
            raise InvalidAccession(text, f"did you mean {text.strip().upper()}?")
        if OTHER_RECORD.fullmatch(text):
            raise InvalidAccession(text, "that is a study, sample or experiment; give its runs (SRR, ERR or DRR)")
        raise InvalidAccession(text)


class LocalName(str):
    """The name of a signature made of a local file; it lives in the local namespace and is never published."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "LocalName":
        """Check `text`; InvalidName if it can't be part of a file name."""
        if not LOCAL_NAME.fullmatch(text):
            raise InvalidName(text)
        return cls(text)


Name = Accession | LocalName


def parse_name(text: str) -> Name:
    """An Accession if `text` is one, else a LocalName; InvalidName if it is neither."""
    try:
        return Accession.parse(text)
    except UsageError:
        return LocalName.parse(text)
