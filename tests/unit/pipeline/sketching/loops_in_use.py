"""All modules of loops."""

from wort_cli.pipeline.decimals import DECIMALS
from wort_cli.pipeline.decoding.vdb_decoder import SPOTS
from wort_cli.pipeline.reads.parser import PARSING as READS
from wort_cli.pipeline.sketching.compiled_fasta import PARSING
from wort_cli.pipeline.sketching.hash_counts import COUNTING
from wort_cli.pipeline.sketching.hash_text import KERNEL

ALL = (KERNEL, COUNTING, PARSING, DECIMALS, SPOTS, READS)
