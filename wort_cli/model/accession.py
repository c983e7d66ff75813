"""Names of signatures: the accession of a run, or a local name; and accessions of what has runs, such as a project.

A text from outside is parsed once into one of the types.  A value of these types is safe as part of a file name, as
part of an object key or a URL, and as an argument of a tool: fastq-dump would otherwise act on `-h`, `../x` and
`http://...`.
"""

import re
from enum import StrEnum

from wort_cli.errors import InvalidAccession, InvalidName, UsageError

RUN = re.compile(r"[SDE]RR[0-9]{6,9}")
OTHER_RECORD = re.compile(r"[SDE]R[AZ][0-9]{6,9}")
"""A submission or an analysis."""
LOCAL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Accession(str):
    """The accession of a run: SRR (NCBI), ERR (ENA) or DRR (DDBJ), then 6 to 9 digits."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Accession":
        """Return the accession in `text`.  Raises InvalidAccession unless `text` is exactly the accession of a run."""
        if RUN.fullmatch(text):
            return cls(text)
        if RUN.fullmatch(text.strip().upper()) and text.isascii():  # spelling.py takes what people type
            raise InvalidAccession(text, f"did you mean {text.strip().upper()}?")
        if kind_of(text) is not None:
            raise InvalidAccession(text, f"this is a {kind_of(text)}; `wort runs {text}` lists its runs")
        if OTHER_RECORD.fullmatch(text):
            raise InvalidAccession(text, "this is a submission or an analysis; use the accessions of runs")
        raise InvalidAccession(text)


class RecordKind(StrEnum):
    """What an accession names that has runs."""

    RUN = "run"
    PROJECT = "project"
    STUDY = "study"
    EXPERIMENT = "experiment"
    SAMPLE = "sample"
    BIOSAMPLE = "biosample"
    SERIES = "GEO series"
    GEO_SAMPLE = "GEO sample"


KINDS = {
    RecordKind.PROJECT: re.compile(r"PRJ[A-Z]{2}[0-9]{1,10}"),
    RecordKind.STUDY: re.compile(r"[SDE]RP[0-9]{6,9}"),
    RecordKind.EXPERIMENT: re.compile(r"[SDE]RX[0-9]{6,9}"),
    RecordKind.SAMPLE: re.compile(r"[SDE]RS[0-9]{6,9}"),
    RecordKind.BIOSAMPLE: re.compile(r"SAM[A-Z]{1,2}[0-9]{1,12}"),
    RecordKind.SERIES: re.compile(r"GSE[0-9]{1,10}"),
    RecordKind.GEO_SAMPLE: re.compile(r"GSM[0-9]{1,10}"),
}


def kind_of(text: str) -> RecordKind | None:
    """Return what an accession names that has runs, other than a run; None if it is no such accession."""
    return next((kind for kind, pattern in KINDS.items() if pattern.fullmatch(text)), None)


class RecordAccession(str):
    """The accession of a record that has runs: a project, a study, an experiment, a sample, or one of GEO."""

    __slots__ = ()

    @classmethod
    def in_text(cls, text: str, *, runs: bool = False) -> "RecordAccession | None":
        """Return the accession in `text`, in upper or lower case; None if it is none.  `runs`: that of a run too."""
        upper = text.upper()
        if text.isascii() and (kind_of(upper) is not None or (runs and RUN.fullmatch(upper))):
            return cls(upper)
        return None

    @property
    def kind(self) -> RecordKind:
        """What it names."""
        return kind_of(self) or RecordKind.RUN


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
