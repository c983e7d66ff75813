"""The stores of signatures: on this machine (local.py, submitted.py), and in an S3 bucket (shared.py, s3.py)."""
