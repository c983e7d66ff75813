"""Tables in a bucket that say what is there, and what is not there and why.

    SOURMASH-MANIFEST.parquet     all sketches in the bucket, for clients
    catalog/HOME.csv.gz           the sketches of the signatures that one home knows to be there
    absent/HOME.csv.gz            the runs that this home found to be unavailable

Each home writes its own tables only, so that homes do not overwrite each other's; the manifest is made from all of
them.  What the table of another home says is a claim: it is read strictly, within limits, and is never `computed`.
"""
