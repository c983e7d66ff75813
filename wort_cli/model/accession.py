"""Names of signatures: the accession of a run or an assembly, or a local name; and accessions of what has runs.

A text from outside is parsed once into one of the types.  A value of these types is safe as part of a file name, as
part of an object key or a URL, and as an argument of a tool: fastq-dump would otherwise act on `-h`, `../x` and
`http://...`.
"""

import re
from enum import StrEnum

from wort_cli.errors import InvalidAccession, InvalidName

RUN = re.compile(r"[SDE]RR[0-9]{6,9}")
SEPARATORS = re.compile(r"[\s,;]+")
LONG = 200
"""Characters of a text that is not looked at as a list of runs."""
OTHER_RECORD = re.compile(r"[SDE]R[AZ][0-9]{6,9}")
"""A submission or an analysis."""
ASSEMBLY = re.compile(r"GC[AF]_[0-9]{9}\.[1-9][0-9]{0,2}")
"""An assembly of GenBank (GCA) or RefSeq (GCF), with its version."""
UNVERSIONED = re.compile(r"GC[AF]_[0-9]{9}")
LOCAL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Accession(str):
    """The accession of a run: SRR (NCBI), ERR (ENA) or DRR (DDBJ), then 6 to 9 digits; or one of the subclass."""

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
        if ASSEMBLY.fullmatch(text.upper()) or UNVERSIONED.fullmatch(text.upper()):
            raise InvalidAccession(text, "this is an assembly, which has no runs; `wort compute` takes assemblies")
        if (
            len(text) < LONG
            and len(parts := SEPARATORS.split(text.strip().upper())) > 1
            and all(map(RUN.fullmatch, parts))
        ):
            raise InvalidAccession(text, f"separate runs by spaces: {' '.join(parts)}")
        raise InvalidAccession(text)


class AssemblyAccession(Accession):
    """The accession of an assembly, with its version, such as GCA_000005845.2."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "AssemblyAccession":
        """Return the accession in `text`.  Raises InvalidAccession unless it is exactly that of an assembly."""
        if ASSEMBLY.fullmatch(text):
            return cls(text)
        if UNVERSIONED.fullmatch(text):
            raise InvalidAccession(
                text, f"the version is missing: each has its own sequences; give it, such as {text}.1", "an assembly"
            )
        raise InvalidAccession(text, "such an accession is GCA_ or GCF_, 9 digits and a version", "an assembly")

    @property
    def number(self) -> str:
        """The nine digits."""
        return self[4:13]

    @property
    def version(self) -> int:
        """The version."""
        return int(self[14:])


def public_accession(text: str) -> Accession | None:
    """Return the accession of a run or an assembly; None if a text is neither."""
    if RUN.fullmatch(text):
        return Accession(text)
    return AssemblyAccession(text) if ASSEMBLY.fullmatch(text) else None


def is_public_in_any_case(text: str) -> bool:
    """Return whether a text is the accession of a run or an assembly, in upper or lower case."""
    return text.isascii() and public_accession(text.upper()) is not None


def name_in(title: str) -> str:
    """Return the name of a signature from its own field `name`, which has more than the accession of an assembly."""
    first = title.partition(" ")[0]
    return first if ASSEMBLY.fullmatch(first) else title


class RecordKind(StrEnum):
    """The kind of a record that has runs."""

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
        """Return the accession in `text`, in upper or lower case; None if it is not one.  `runs`: that of a run too."""
        upper = text.upper()
        if text.isascii() and (kind_of(upper) is not None or (runs and RUN.fullmatch(upper))):
            return cls(upper)
        return None

    @property
    def kind(self) -> RecordKind:
        """The kind of the record."""
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
    return public_accession(text) or LocalName.parse(text)
