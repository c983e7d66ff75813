"""Copies stdin to stdout at RATE bytes per second: `slow.py RATE`.  A script that needs only the standard library."""

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
