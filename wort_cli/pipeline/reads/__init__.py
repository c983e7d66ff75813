"""Files of reads and sequences: FASTA and FASTQ of the user's own, plain or compressed."""
