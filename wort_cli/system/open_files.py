"""The number of files and connections that this process may have open."""

import resource


def allow_open_files(wanted: int) -> int:
    """Let this process open `wanted` files, as far as the system allows; return how many it may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        return allowed
    return wanted if soft == resource.RLIM_INFINITY else min(wanted, soft)
