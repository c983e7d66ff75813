"""Copies stdin to stdout at a limited rate: `slow.py BYTES_PER_SECOND`.  A stand-alone script."""

import os
import sys
import time

if __name__ == "__main__":
    rate = int(sys.argv[1])
    while data := os.read(0, max(1, rate // 20)):
        sent = 0
        while sent < len(data):
            sent += os.write(1, data[sent:])
        time.sleep(len(data) / rate)
