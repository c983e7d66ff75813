-- Version 20: the runs of a project or a study, and the queued jobs that a client of the server requested, by an index.

CREATE INDEX runs_of_projects ON runs (project) WHERE project <> '';
CREATE INDEX runs_of_studies ON runs (study) WHERE study <> '';
CREATE INDEX queued_by_selector ON jobs (selected_by) WHERE state = 'queued' AND selected_by <> '';
