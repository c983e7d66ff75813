"""Lists the runs of a project, a study, an experiment or a sample, as ENA and NCBI have them."""
