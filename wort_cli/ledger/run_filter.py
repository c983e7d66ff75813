"""Selects jobs and signatures by what is known of their runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RunFilter:
    """Selects runs; empty values select all."""

    organism: str = ""
    """The scientific name, without regard to case; * and ? stand for other letters."""
    project: str = ""
    """The accession of the project, study, experiment, sample or biosample."""

    def where(self, name: str) -> tuple[list[str], dict[str, object]]:
        """Return conditions in SQL about the run whose accession is in the column `name`, and their values."""
        conditions, values = [], dict[str, object]()
        if self.organism:
            conditions.append("lower(facts.organism) GLOB :organism")
            values["organism"] = self.organism.lower().replace("[", "[[]")
        if self.project:
            conditions.append(
                ":record IN (facts.project, facts.study, facts.experiment, facts.sample, facts.biosample)"
            )
            values["record"] = self.project.upper()
        if not conditions:
            return [], {}
        of_run = f"facts.run = {name} AND {' AND '.join(conditions)}"
        return [f"EXISTS (SELECT 1 FROM runs AS facts WHERE {of_run})"], values  # noqa: S608 - fixed texts


ALL_RUNS = RunFilter()
