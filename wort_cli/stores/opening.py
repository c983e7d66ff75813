"""Opens the object store of a target: a bucket on a server, or a directory that takes its place.

boto3 is imported for a bucket only.
"""

from wort_cli.model.s3_target import S3Target
from wort_cli.stores.object_store import ObjectStore


def open_objects(target: S3Target, connections: int = 4) -> ObjectStore:
    """Return the objects below the prefix of a target; up to `connections` threads may use them at once.

    Raises StoreError if no request to the server is possible.
    """
    if target.directory is not None:
        from wort_cli.stores.directory import DirectoryStore

        return DirectoryStore(target)
    from wort_cli.stores.s3 import S3Store

    return S3Store(target, connections)
