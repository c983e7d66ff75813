"""Assemblies of GenBank and RefSeq: found and fetched by the layout of NCBI's FTP site, over HTTPS."""
