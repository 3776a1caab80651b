"""Makes the bucket of the server set-up: with object lock, unfinished uploads aborted after two days.

Done again, it changes nothing. Needs SSL_CERT_FILE.
"""

import os
from pathlib import Path

from minio import Minio
from minio.commonconfig import ENABLED, Filter
from minio.lifecycleconfig import AbortIncompleteMultipartUpload, LifecycleConfig, Rule

NAME = "kho"


def main() -> None:
    """Ask the S3 server at STORE_HOST with the two keys in the file STORE_CREDENTIALS."""
    access, secret = Path(os.environ["STORE_CREDENTIALS"]).read_text("ascii").split()
    client = Minio(os.environ["STORE_HOST"], access_key=access, secret_key=secret, region="us-east-1")
    if not client.bucket_exists(NAME):
        client.make_bucket(NAME, object_lock=True)
    rule = Rule(
        status=ENABLED,
        rule_filter=Filter(prefix=""),
        rule_id="unfinished-uploads",
        abort_incomplete_multipart_upload=AbortIncompleteMultipartUpload(days_after_initiation=2),
    )
    client.set_bucket_lifecycle(NAME, LifecycleConfig([rule]))


if __name__ == "__main__":
    main()
