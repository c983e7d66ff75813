"""This machine: files, locks, processes, memory and disks.  Nothing here knows what a signature is."""
