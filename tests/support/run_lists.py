"""A server on loopback that lists the runs of projects as ENA's file report and NCBI's E-utilities do."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from wort_cli.pipeline.projects.answers import Recorded
from wort_cli.pipeline.projects.ena import FIELDS
from wort_cli.pipeline.projects.ncbi import HEADER


def run(number: int, project: str = "PRJNA1", **values: Any) -> dict[str, Any]:
    """Return what both services know of the run SRR<number>."""
    return {
        "run": f"SRR{number:06}",
        "project": project,
        "study": "SRP000001",
        "experiment": f"SRX{number:06}",
        "sample": f"SRS{number:06}",
        "biosample": f"SAMN{number:08}",
        "taxid": 408170,
        "organism": "human gut metagenome",
        "spots": 1000,
        "bases": 150_000,
        "megabytes": 2,
        **values,
    }


def ena_row(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a file report."""
    return {
        "run_accession": item["run"],
        "study_accession": item["project"],
        "secondary_study_accession": item["study"],
        "experiment_accession": item["experiment"],
        "sample_accession": item["biosample"],
        "secondary_sample_accession": item["sample"],
        "tax_id": item["taxid"],
        "scientific_name": item["organism"],
        "library_strategy": "WGS",
        "library_source": "METAGENOMIC",
        "library_selection": "RANDOM",
        "library_layout": "PAIRED",
        "instrument_platform": "ILLUMINA",
        "instrument_model": "Illumina HiSeq 2500",
        "read_count": item["spots"],
        "base_count": item["bases"],
        "sra_bytes": "",
        "first_public": "2020-02-03",
        "last_updated": "2021-04-05",
    }


def ncbi_row(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a RunInfo."""
    return {
        **dict.fromkeys(HEADER, ""),
        "Run": item["run"],
        "ReleaseDate": "2020-02-03 04:05:06",
        "LoadDate": "2020-02-02 00:00:00",
        "spots": item["spots"],
        "bases": item["bases"],
        "size_MB": item["megabytes"],
        "Experiment": item["experiment"],
        "LibraryStrategy": "WGS",
        "LibrarySource": "METAGENOMIC",
        "LibraryLayout": "PAIRED",
        "Platform": "ILLUMINA",
        "Model": "Illumina HiSeq 2500",
        "SRAStudy": item["study"],
        "BioProject": item["project"],
        "Sample": item["sample"],
        "BioSample": item["biosample"],
        "TaxID": item["taxid"],
        "ScientificName": item["organism"],
        "SampleName": 'gut, "left"',
    }


def ena_text(items: Sequence[Mapping[str, Any]]) -> str:
    """Return a file report."""
    lines = [FIELDS, *([str(ena_row(item)[name]) for name in FIELDS] for item in items)]
    return "".join("\t".join(line) + "\n" for line in lines)


def ncbi_text(items: Sequence[Mapping[str, Any]], *, header: bool = True) -> str:
    """Return a RunInfo; as NCBI does, an empty line follows it."""
    file = io.StringIO()
    writer = csv.DictWriter(file, HEADER, lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(ncbi_row(item) for item in items)
    return file.getvalue() + "\n"


class RunLists:
    """Both services.  `ena` and `ncbi` have the runs of each accession; `ncbi` may have experiments without runs.

    `answers` is asked first: a path, and what is recorded for it or None.
    """

    def __init__(self) -> None:
        self.ena: dict[str, list[dict[str, Any]]] = {}
        self.ncbi: dict[str, list[dict[str, Any]]] = {}
        self.geo: dict[str, dict[str, Any]] = {}
        """The summary of each record of GEO."""
        self.answers: Callable[[str], Recorded | None] = lambda path: None
        self.requests: list[str] = []
        lists = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60.0  # of a request that has started; no connection waits for a second one

            def do_GET(self) -> None:
                lists.requests.append(self.path)
                lists.send(self, lists.answers(self.path) or lists.answer(self.path))

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def env(self) -> dict[str, str]:
        """The environment variables of a home that asks this server."""
        return {
            "WORT_ENA_URL": f"{self.url}/ena/portal/api/filereport",
            "WORT_ENTREZ_URL": f"{self.url}/entrez/eutils",
            "WORT_NCBI_URL": f"{self.url}/runinfo",
            "WORT_REQUEST_INTERVAL": "0.001",
            "WORT_REQUEST_PAUSE": "0.01",
            "WORT_LOOKUP_PAUSE": "0.001",
            "WORT_LOOKUP_TIMEOUT": "60",
        }

    @contextlib.contextmanager
    def serving(self) -> Iterator[RunLists]:
        """Serve while the context lasts."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def put(self, accession: str, items: Sequence[dict[str, Any]]) -> None:
        """Have both services list these runs."""
        self.ena[accession], self.ncbi[accession] = list(items), list(items)

    def put_many(self, accession: str, number: int) -> None:
        """Have both services list so many runs, SRR000001 and so on; the answers are made now, and quickly."""
        mark, page = "999999", 5000
        header, row, _ = ena_text([run(int(mark), accession)]).split("\n")
        rows = "\n".join(row.replace(mark, f"{n:06}") for n in range(1, number + 1))
        head, line, *_ = ncbi_text([run(int(mark), accession)]).split("\n")
        answers = {"filereport": Recorded(f"{header}\n{rows}\n")}
        for first in range(0, number, page):
            some = "\n".join(line.replace(mark, f"{n + 1:06}") for n in range(first, min(number, first + page)))
            answers[str(first)] = Recorded(f"{'' if first else head + chr(10)}{some}\n\n")
        result = {"count": str(number), "idlist": [], "querykey": "1", "webenv": "MCID_many"}
        answers["esearch.fcgi"] = Recorded(json.dumps({"esearchresult": result}))

        def answer(path: str) -> Recorded | None:
            parts = urlsplit(path)
            name = parts.path.rpartition("/")[2]
            return answers.get(parse_qs(parts.query)["retstart"][0] if name == "efetch.fcgi" else name)

        self.answers = answer

    def answer(self, path: str) -> Recorded:
        """Return the answer to a request as the service documents it."""
        parts = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        name = parts.path.rpartition("/")[2]
        if name == "runinfo":
            found = [item for items in self.ncbi.values() for item in items if item["run"] == query["acc"]]
            return Recorded(ncbi_text(found) if found else "")
        if name in ("filereport", "search"):
            assert (query["result"], query["format"], query.get("limit", "0")) == ("read_run", "tsv", "0")
            items = self.ena.get(query.get("accession") or query["query"])
            return Recorded(ena_text(items)) if items else Recorded("", 204)
        return {"esearch.fcgi": self.search, "efetch.fcgi": self.fetch, "esummary.fcgi": self.summary}[name](query)

    def search(self, query: Mapping[str, str]) -> Recorded:
        """Return the answer to a search: the number of experiments, or the ids of records of GEO."""
        word = query["term"].partition("[")[0]
        if query["db"] == "gds":
            ids = [word] if word in self.geo else []
            result = {"count": str(len(ids)), "idlist": ids}
        else:
            result = {"count": str(len(self.experiments(word))), "idlist": []}
        found = {**result, "retmax": "0", "retstart": "0", "querykey": "1", "webenv": f"MCID_{word}"}
        return Recorded(json.dumps({"header": {"type": "esearch"}, "esearchresult": found}))

    def experiments(self, word: str) -> list[str]:
        """Return the experiments of a record."""
        return list(dict.fromkeys(item["experiment"] for item in self.ncbi.get(word, [])))

    def fetch(self, query: Mapping[str, str]) -> Recorded:
        """Return a page of a RunInfo."""
        word = query["WebEnv"].removeprefix("MCID_")
        first, number = int(query["retstart"]), int(query["retmax"])
        page = set(self.experiments(word)[first : first + number])
        items = [item for item in self.ncbi[word] if item["experiment"] in page and item["run"]]
        return Recorded(ncbi_text(items, header=first == 0))

    def summary(self, query: Mapping[str, str]) -> Recorded:
        """Return the summary of records of GEO."""
        found = {uid: self.geo[uid] for uid in query["id"].split(",")}
        return Recorded(json.dumps({"header": {"type": "esummary"}, "result": {"uids": list(found), **found}}))

    def send(self, handler: BaseHTTPRequestHandler, answer: Recorded) -> None:
        """Send a recorded answer."""
        body = answer.body.encode()
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        if not answer.unbounded and answer.status != 204:
            handler.send_header("Content-Length", str(len(body) + 100 * answer.cut))
        handler.send_header("Connection", "close")
        handler.end_headers()
        with contextlib.suppress(OSError):
            handler.wfile.write(body)
