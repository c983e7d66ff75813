"""The strict, bounded reader of signatures and documents that were not sealed here.

signatures.py reads a signature and returns its facts (facts.py): of a small one in this process, of a large one in a
process of its own with limits (sandbox.py, reader_process.py).  strict.py has the grammar, pull_parser.py parses in
bounded memory.  documents.py reads small JSON documents.  The first fault raises Refusal.
"""
