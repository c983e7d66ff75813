"""What handlers share: the signatures of the profile `sra-v1`, which the interface is about.

In a handler: `request.app.state.services`.
"""

from dataclasses import dataclass

from wort_cli.model.profile import SRA_V1
from wort_cli.web.bucket_objects import BucketObjects
from wort_cli.web.manifest_files import ManifestFiles
from wort_cli.web.served_home import ServedHome
from wort_cli.web.signature_files import SignatureFiles


@dataclass(frozen=True)
class Services:
    """The home, and what is remembered of its files."""

    home: ServedHome
    files: SignatureFiles
    bucket: BucketObjects
    manifests: ManifestFiles

    @classmethod
    def of(cls, home: ServedHome) -> "Services":
        """Return the services of a home."""
        name = SRA_V1.name
        files, manifests = SignatureFiles(home.settings, name), ManifestFiles(home, name)
        return cls(home, files, BucketObjects(home.settings, SRA_V1), manifests)
