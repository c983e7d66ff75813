"""The loop of vdb_decoder.py: it reads the columns of spots from libncbi-vdb, and writes the text of their reads."""

from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from wort_cli.pipeline.decoding.base_codes import LETTERS as CODES
from wort_cli.pipeline.decoding.cell_loops import (
    ADDRESS,
    BITS,
    PLACE,
    ROW_SIZE,
    UNKNOWN,
    VALUE,
    Cells,
    pointer,
    read_cell,
)
from wort_cli.pipeline.decoding.layouts import MAX_READS_PACBIO, Column
from wort_cli.pipeline.sketching.jit import jit, jit_helper
from wort_cli.pipeline.sketching.lanes import LETTERS as LANES
from wort_cli.pipeline.sketching.lanes import load, mask_bits, store

Letters = NDArray[np.uint8]
Numbers = NDArray[np.uint32]

BIOLOGICAL = np.uint8(1)
"""A bit of READ_TYPE.  Other bits are the strand, which fastq-dump ignores."""
PASS = 0
"""The READ_FILTER of reads that pass."""
MAX_READS = MAX_READS_PACBIO
"""Reads in a spot, at most."""
NOT_BIOLOGICAL = 2**32 - 2
"""Returned instead of an rc_t: a spot has no biological read (NeedsWholeRun)."""
INVALID = 2**32 - 3
"""Returned instead of an rc_t: a base has an invalid code."""
A, C, G, T, N = np.frombuffer(b"ACGTN", np.uint8)
CODE_A, CODE_C, CODE_G, CODE_T, CODE_N = (np.uint8(CODES.index(letter)) for letter in b"ACGTN")
NOTHING, CODE_COUNT = np.uint8(0), len(CODES)
NO_CODE = np.uint8(256 - CODE_COUNT)
"""The bits that no valid code has."""
CODE_LETTERS = tuple(map(np.uint8, CODES))

NREADS, FILTERS, LENGTHS, TYPES, STARTS, TRIM_START, TRIM_LEN, BASES = map(int, Column)

copy_memory: Any = types.ExternalFunction("memcpy", pointer(pointer, pointer, pointer))  # (to, from, bytes)


@jit
def read_spots(
    cursor: int,
    columns: Cells,
    read_limit: int,
    row: int,
    last: int,
    stats: NDArray[Any],
    text: Letters,
    cells: Cells,
    filters: Letters,
    read_types: Letters,
    starts: Numbers,
    lengths: Numbers,
    trim: Numbers,
    has_codes: int,
    checks_codes: int,
) -> tuple[int, int, int]:
    """Write the text of the spots from `row` to `last` to `text`, as many as fit, and add them to `stats`.

    Returns the next spot, the length of the text, and an rc_t or UNKNOWN: if it is not 0, the next spot was not read.
    `cursor` is the address of the library's cursor, `columns` are numbers of its columns, 0 for one that is missing.
    The arrays after `text` hold what is read of a spot: `cells` one row for each column, the others MAX_READS entries,
    and `trim` two.  `cells` is all 0 at first; afterwards its blobs have to be released.  `has_codes` is not 0 if the
    bases are codes rather than letters (base_codes.py).

    Returns INVALID if a base has an invalid code, and if `checks_codes` is not 0 also if one that is not written has:
    the library fails for all spots of the blob then, if it is asked for letters.
    """
    record = stats[0]
    no_base = CODE_N if has_codes else N
    n = 0
    while row <= last:
        limit, code = spot_limit(cursor, columns, read_limit, row, cells)
        if code == 0:
            code = read_filters_and_types(cursor, columns, row, cells, filters, limit, read_types)
        if code != 0:
            return row, n, code
        reads, needed, size = 0, 0, 0
        first = first_pass(filters, cells)
        if first >= 0:
            code = read_properties(cursor, columns, row, cells, starts, lengths, trim)
            if code == 0:
                reads = int(cells[LENGTHS, BITS] >> np.uint64(5))
                keep_written(filters, read_types, starts, lengths, trim, reads)
                needed = needed_size(starts, lengths, min(reads, limit), cells[BASES, BITS] >> np.uint64(3))
                if needed < 0:
                    code, reads, needed = UNKNOWN, 0, 0
            if code != 0 and first < limit:  # else fastq-dump does not read these columns of the spot
                return row, n, code
        if checks_codes and not are_all_bases(starts, lengths, min(reads, limit), cells):
            size, code = check_codes(cursor, columns, row, cells, reads, text, n)
            if code != 0:
                return row, n, code
        if n + max(size, needed) > text.size:
            break
        n = copy_reads(cells[BASES, ADDRESS], starts, lengths, min(reads, limit), record, text, n, no_base)
        for i in range(limit, reads):
            record.left_out += lengths[i] > 0
        row += 1
    if has_codes and not write_letters(text, n):
        return row, n, INVALID
    return row, n, 0


@jit_helper
def spot_limit(cursor: int, columns: Cells, read_limit: int, row: int, cells: Cells) -> tuple[int, int]:
    """Return how many reads of a spot are considered, and an rc_t or UNKNOWN.  See NREADS in layouts.py."""
    if columns[NREADS] == 0:
        return read_limit, 0
    code = read_cell(cursor, columns, NREADS, row, cells)
    bits = cells[NREADS, BITS]
    if code != 0 or bits < 8 or bits > 64 or bits & (bits - np.uint64(1)):  # not an integer of 1, 2, 4 or 8 bytes
        return 0, code if code != 0 else UNKNOWN
    cells[NREADS, VALUE] = 0
    value = cells.ctypes.data + ROW_SIZE * NREADS + PLACE * VALUE
    copy_memory(value, cells[NREADS, ADDRESS], bits >> np.uint64(3))  # little-endian
    return 0 if cells[NREADS, VALUE] > np.uint64(read_limit) else read_limit, 0


@jit_helper
def read_filters(cursor: int, columns: Cells, row: int, cells: Cells, filters: Letters) -> int:
    """Copy the filter of each read of a spot.  Returns an rc_t, or UNKNOWN."""
    code = read_cell(cursor, columns, FILTERS, row, cells)
    if code != 0:
        return code
    bits = cells[FILTERS, BITS]
    if bits & np.uint64(7) or bits > np.uint64(8 * MAX_READS):
        return UNKNOWN
    copy_memory(filters.ctypes.data, cells[FILTERS, ADDRESS], bits >> np.uint64(3))
    return 0


@jit_helper
def first_pass(filters: Letters, cells: Cells) -> int:
    """Return the number of the first read of a spot that passes, from 0; -1 if none does."""
    for i in range(int(cells[FILTERS, BITS] >> np.uint64(3))):
        if filters[i] == PASS:
            return i
    return -1


@jit_helper
def read_filters_and_types(
    cursor: int, columns: Cells, row: int, cells: Cells, filters: Letters, limit: int, read_types: Letters
) -> int:
    """Copy filter and type of each read of a spot.  Returns NOT_BIOLOGICAL if none is biological, an rc_t, or UNKNOWN.

    fastq-dump does not read the types of a spot of which no read passes.  If they cannot be read, none is known to be
    biological.
    """
    code = read_filters(cursor, columns, row, cells, filters)
    if code != 0:
        return code
    code = read_cell(cursor, columns, TYPES, row, cells)
    if code != 0:
        return code if 0 <= first_pass(filters, cells) < limit else NOT_BIOLOGICAL
    number = int(min(cells[TYPES, BITS] >> np.uint64(3), np.uint64(MAX_READS)))
    copy_memory(read_types.ctypes.data, cells[TYPES, ADDRESS], number)
    biological = False
    for i in range(number):
        biological |= (read_types[i] & BIOLOGICAL) != 0
    return 0 if biological else NOT_BIOLOGICAL


@jit_helper
def read_properties(
    cursor: int, columns: Cells, row: int, cells: Cells, starts: Numbers, lengths: Numbers, trim: Numbers
) -> int:
    """Read the other columns of a spot.  Returns an rc_t, or UNKNOWN if a cell has not the expected size."""
    for i in range(LENGTHS, columns.size):
        code = read_cell(cursor, columns, i, row, cells) if i != TYPES else 0
        if code != 0:
            return code
    bits = cells[LENGTHS, BITS]
    if bits & np.uint64(31) or bits > np.uint64(32 * MAX_READS) or cells[STARTS, BITS] != bits:
        return UNKNOWN
    octets = bits >> np.uint64(2)
    if cells[TYPES, BITS] != octets or cells[FILTERS, BITS] != octets or cells[BASES, BITS] & np.uint64(7):
        return UNKNOWN
    if cells[TRIM_START, BITS] != 32 or cells[TRIM_LEN, BITS] != 32:
        return UNKNOWN
    copy_memory(lengths.ctypes.data, cells[LENGTHS, ADDRESS], bits >> np.uint64(3))
    copy_memory(starts.ctypes.data, cells[STARTS, ADDRESS], bits >> np.uint64(3))
    copy_memory(trim.ctypes.data, cells[TRIM_START, ADDRESS], 4)
    copy_memory(trim.ctypes.data + 4, cells[TRIM_LEN, ADDRESS], 4)
    return 0


@jit_helper
def signed(number: int) -> int:
    """Return an integer as a C program stores it in 32 bits with a sign."""
    return ((number + 2**31) & (2**32 - 1)) - 2**31


@jit_helper
def keep_written(
    filters: Letters, read_types: Letters, starts: Numbers, lengths: Numbers, trim: Numbers, reads: int
) -> None:
    """Set start and length of each read to what fastq-dump writes of it; a length of 0 if it does not.

    The arithmetic is that of FastqReader_SpotReadInfo (layouts.py), also where it wraps around.
    """
    trim_start = signed(int(trim[0]))
    trim_end = signed(trim_start + int(trim[1]) - 1)
    for i in range(reads):
        start, length = signed(int(starts[i])), int(lengths[i])
        end = signed(start + length - 1)
        is_kept = filters[i] == PASS and read_types[i] & BIOLOGICAL
        if not is_kept or end < trim_start or start > trim_end:
            length = 0
        else:
            if start < trim_start:
                length -= trim_start - start
                start = trim_start
            if end > trim_end:
                length = trim_end - start + 1
        starts[i] = start & (2**32 - 1)
        lengths[i] = length & (2**32 - 1)


@jit_helper
def needed_size(starts: Numbers, lengths: Numbers, reads: int, bases: np.uint64) -> int:
    """Return the size of the text of a spot; -1 if a read is not within the bases of the spot."""
    size = 0
    for i in range(reads):
        if lengths[i] > 0:
            if np.uint64(starts[i]) + np.uint64(lengths[i]) > bases:
                return -1
            size += int(lengths[i]) + 1
    return size


@jit_helper
def are_all_bases(starts: Numbers, lengths: Numbers, reads: int, cells: Cells) -> bool:
    """Return whether the reads of a spot that are written are all of its bases, in their order."""
    end = np.uint64(0)
    for i in range(reads):
        if lengths[i] > 0:
            if np.uint64(starts[i]) != end:
                return False
            end += np.uint64(lengths[i])
    return reads > 0 and end == cells[BASES, BITS] >> np.uint64(3)


@jit_helper
def check_codes(
    cursor: int, columns: Cells, row: int, cells: Cells, reads: int, text: Letters, n: int
) -> tuple[int, int]:
    """Check the codes of all bases of a spot, which were read if it has reads; text[n:] holds them meanwhile.

    Returns the number of bases, and an rc_t or INVALID.  They are not checked if they do not fit.
    """
    code = read_cell(cursor, columns, BASES, row, cells) if reads == 0 else 0
    size = int(cells[BASES, BITS] >> np.uint64(3))
    if code == 0 and n + size <= text.size:
        copy_memory(text.ctypes.data + n, cells[BASES, ADDRESS], size)
        bits = np.uint8(0)
        for i in range(np.uint64(n), np.uint64(n + size)):  # indices that may be negative prevent SIMD loads
            bits |= text[i]
        if bits & NO_CODE:
            code = INVALID
    return size, code


@jit_helper
def copy_reads(
    bases: np.uint64,
    starts: Numbers,
    lengths: Numbers,
    reads: int,
    record: Any,
    text: Letters,
    n: int,
    no_base: np.uint8,
) -> int:
    """Append the reads of a spot to text[:n], with `no_base` after each.  Returns the new n.

    `bases` is the address of the spot's bases.
    """
    before = record.reads
    for i in range(reads):
        length = int(lengths[i])
        if length > 0:
            copy_memory(text.ctypes.data + n, bases + np.uint64(starts[i]), length)
            text[n + length] = no_base
            n += length + 1
            record.reads += 1
            record.bases += length
            record.longest = max(record.longest, length)
    record.spots += record.reads > before
    return n


@jit_helper
def write_letters(text: Letters, n: int) -> bool:
    """Replace the codes in text[:n] by letters.  Returns whether all codes are valid."""
    i = 0
    while i < n:
        rest = min(n - i, LANES)
        unusual = True
        if rest == LANES:
            code = load(text, i)
            found = (code == CODE_A) & A | (code == CODE_C) & C | (code == CODE_G) & G | (code == CODE_T) & T
            found = found | (code == CODE_N) & N
            unusual = mask_bits(found == NOTHING) != np.uint64(0)
            if not unusual:
                store(text, i, found)
        if unusual:
            for j in range(i, i + rest):
                if text[j] >= CODE_COUNT:
                    return False
                text[j] = CODE_LETTERS[text[j]]
        i += rest
    return True
