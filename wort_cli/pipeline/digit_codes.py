"""Compresses decimal numbers to a block of Deflate, with a Huffman code only.

The digits of hashes are random, and repeat nothing, so that only their Huffman code makes them smaller.  zlib can leave
out the search for repeats, but still handles each byte on its own, and takes ten times as long as these loops.

Source: RFC 1951, 3.2.
"""

import heapq
import itertools

import numpy as np

from wort_cli.pipeline.decimals import are_digits, count_bytes, write_codes

ALPHABET = b",0123456789"
END = 256
"""The symbol at the end of a block."""
STEP = 13
"""One byte of so many is counted: enough to know how frequent each is."""
PER_WORD = 8
"""Bytes of a text for each word of 64 bits; no code has more than 11 bits, because there are 12 symbols."""
HEADER_WORDS = 4
"""Words for the bits before and after the codes."""
LENGTH_SYMBOLS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 18)
"""The symbols that describe the code, each with a code of 4 bits: lengths, and runs of zeros."""
LENGTH_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1)
SHORT_RUN, LONG_RUN = 17, 18
"""3 to 10 zeros, with 3 more bits; 11 to 138 zeros, with 7 more bits."""
EMPTY_BLOCK = b"\0\0\xff\xff"
"""The length of an empty block, which ends at a whole byte."""


def are_random_digits(text: bytes) -> bool:
    """Return whether a text is made of digits and commas only."""
    return not text[:64].strip(ALPHABET) and bool(are_digits(np.frombuffer(text, np.uint8)))


def deflate_digits(text: bytes) -> bytes:
    """Compress digits and commas to blocks of Deflate that refer to nothing before them, and end at a whole byte."""
    letters = np.frombuffer(text, np.uint8)
    counts = np.zeros(256, np.uint64)
    count_bytes(letters, STEP, counts)
    lengths = code_lengths({**{symbol: int(counts[symbol]) + 1 for symbol in ALPHABET}, END: 1})
    codes = canonical_codes(lengths)
    header, size = block_header(lengths)
    words = np.zeros(letters.size // PER_WORD * 2 + HEADER_WORDS, np.uint64)
    words[:HEADER_WORDS] = np.frombuffer(header.to_bytes(8 * HEADER_WORDS, "little"), np.uint64)
    code_of, length_of = np.zeros(256, np.uint64), np.zeros(256, np.uint64)
    for symbol in ALPHABET:
        code_of[symbol], length_of[symbol] = codes[symbol], lengths[symbol]
    bits: int = write_codes(letters, code_of, length_of, words, size)
    whole, rest = divmod(bits, 8)
    data = words.view(np.uint8)
    last = int(data[whole]) | codes[END] << rest  # then the 3 bits of an empty block, which are 0
    after = rest + lengths[END] + 3
    compressed: bytes = data[:whole].tobytes()
    return compressed + last.to_bytes((after + 7) // 8, "little") + EMPTY_BLOCK


def code_lengths(counts: dict[int, int]) -> dict[int, int]:
    """Return the length of the Huffman code of each symbol."""
    order = itertools.count()
    heap: list[tuple[int, int, tuple[int, ...]]]
    heap = [(count, next(order), (symbol,)) for symbol, count in sorted(counts.items())]
    lengths = dict.fromkeys(counts, 0)
    heapq.heapify(heap)
    while len(heap) > 1:
        (one, _, left), (other, _, right) = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in left + right:
            lengths[symbol] += 1
        heapq.heappush(heap, (one + other, next(order), left + right))
    return lengths


def canonical_codes(lengths: dict[int, int]) -> dict[int, int]:
    """Return the code of each symbol, with its first bit as the lowest."""
    codes, code, before = {}, 0, 0
    for length, symbol in sorted((length, symbol) for symbol, length in lengths.items()):
        code <<= length - before
        codes[symbol] = reversed_bits(code, length)
        code, before = code + 1, length
    return codes


def reversed_bits(number: int, size: int) -> int:
    """Return the lowest `size` bits of a number in reversed order."""
    return int(f"{number:0{size}b}"[::-1], 2)


def block_header(lengths: dict[int, int]) -> tuple[int, int]:
    """Return the bits before the codes of a block that is not the last one, and how many they are."""
    value = size = 0

    def put(number: int, bits: int) -> None:
        nonlocal value, size
        value |= number << size
        size += bits

    describing = canonical_codes(dict.fromkeys(LENGTH_SYMBOLS, 4))
    put(0b100, 3)  # not the last one, with codes of its own
    put(0, 5 + 5)  # 257 codes of symbols, and one of distances
    put(len(LENGTH_ORDER) - 4, 4)
    for symbol in LENGTH_ORDER:
        put(4 if symbol in LENGTH_SYMBOLS else 0, 3)
    all_lengths = [*(lengths.get(symbol, 0) for symbol in range(END + 1)), 0]  # there are no distances
    for length, run in itertools.groupby(all_lengths):
        left = len(list(run))
        while length == 0 and left >= 3:
            most, least, symbol, bits = (138, 11, LONG_RUN, 7) if left >= 11 else (10, 3, SHORT_RUN, 3)
            zeros = min(left, most)
            put(describing[symbol], 4)
            put(zeros - least, bits)
            left -= zeros
        for _ in range(left):
            put(describing[length], 4)
    return value, size
