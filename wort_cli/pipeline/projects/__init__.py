"""Which runs a project, a study, an experiment or a sample has, by the lists of ENA and NCBI."""
