"""Access to this machine: files, locks, processes, memory and disks.  Nothing here is specific to signatures."""
