"""Makes the pictures of the pages that the documents have: `python -m tests.support.pictures`.

The home has signatures, a campaign with running jobs, and runs that failed or are unavailable.  Its daemon is said to
run, and the clock is that of the machine.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock

import uvicorn
from PIL import Image

from tests.support.browser import Browser, browsing
from tests.support.documents import ROOT
from tests.support.polling import until
from tests.support.served_home import SOIL
from tests.support.served_home import ServedHome as FilledHome
from tests.support.submissions import document, text
from wort_cli.health.status import RUNNING
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import Progress
from wort_cli.model.provenance import Trust
from wort_cli.settings import load_settings
from wort_cli.web.access_file import AccessFile, Right
from wort_cli.web.app import make_app
from wort_cli.web.options import PORT, ServeOptions
from wort_cli.web.pages.daemon_view import SENTENCES, DaemonView
from wort_cli.web.pages.shared import Pages
from wort_cli.web.served_home import ServedHome

IMAGES = ROOT / "docs" / "images"
COLOURS = 128
GROUP = "ocean-2026"
FIRST, SUBMITTED = "SRR5855406", "ERR599064"
RUNS = {
    "SRR10971381": ("human lung metagenome", Trust.COMPUTED),
    "ERR599052": ("marine metagenome", Trust.VERIFIED),
    "SRR6144753": ("soil metagenome", Trust.COMPUTED),
    "DRR128724": ("hydrothermal vent metagenome", Trust.QUICK_CHECKED),
    "SRR8859675": ("human gut metagenome", Trust.COMPUTED),
    "ERR2241639": ("freshwater metagenome", Trust.UNVERIFIED),
    "SRR12324253": ("Zea mays", Trust.COMPUTED),
    FIRST: ("marine metagenome", Trust.COMPUTED),
}
UNDER_WAY = {"ERR598950": ("sketching", 0.62), "ERR598981": ("fetching", 0.31), "ERR599011": ("sketching", 0.07)}
MISSING = {
    "ERR315857": (Reason.WITHDRAWN, "the submitters withdrew it on 2021-03-04"),
    "ERR598970": (Reason.CORRUPT, "the md5 of the column READ is wrong"),
    "ERR599021": (Reason.NETWORK, "no answer from locate.ncbi.nlm.nih.gov"),
}


def fill(home: FilledHome) -> None:
    """Make the jobs and the signatures."""
    for seed, (name, (organism, trust)) in enumerate(RUNS.items(), 1):
        job = home.enqueue(name, GROUP if organism.startswith("marine") else "")
        home.finish(job, home.published(name, trust, seed=seed, errors=9000 + 1500 * seed))
        home.ledger.runs.record([(replace(SOIL, run=name, organism=organism), "ENA")])
    for name, (reason, message) in MISSING.items():
        home.finish(home.enqueue(name, GROUP), failure=Failure(reason, message))
    for name, (stage, share) in UNDER_WAY.items():
        job, now, total = home.enqueue(name, GROUP), time.time(), 40_000_000
        attempt = home.claim(job)
        for seconds, done in ((240.0, 0.01), (0.0, share)):
            spots = int(total * done)
            progress = Progress(stage, spots, total, spots * 200 if stage == "sketching" else 0, now - seconds)
            home.ledger.attempts.report_progress(job, attempt, progress)
    home.add_jobs([f"ERR{number}" for number in range(599100, 599340)], GROUP)


@contextmanager
def served(path: Path) -> Iterator[str]:
    """Serve the home in this process; yield the URL."""
    seen = Pages.daemon

    def with_daemon(pages: Pages) -> DaemonView:
        return replace(seen(pages), state=RUNNING, sentence=SENTENCES[RUNNING], problems=())

    settings = load_settings({"WORT_HOME": str(path)})
    app = make_app(ServedHome(settings, ServeOptions()))
    server = uvicorn.Server(uvicorn.Config(app, port=PORT, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    with mock.patch.object(Pages, "daemon", with_daemon):
        thread.start()
        until(lambda: server.started, "the server listens")
        try:
            yield f"http://127.0.0.1:{PORT}"
        finally:
            server.should_exit = True
            thread.join()


def take(browser: Browser, name: str, path: str, *, height: int, width: int = 1180, dark: bool = False) -> None:
    """Make the picture of a page, with few colours."""
    browser.show_as(width=width, dark=dark)
    browser.open(path)
    if FIRST in path:
        until(lambda: browser.count(".histogram svg") == 3, "the histograms are drawn")
    target = IMAGES / f"{name}.png"
    browser.picture(target, height)
    Image.open(target).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


def submit(browser: Browser, secret: str, file: Path) -> str:
    """Submit a signature; return the path of its page, when its checks have passed."""
    browser.open("/sign-in?to=/submit")
    browser.type("#token", secret)
    browser.press("Sign in")
    browser.type("#file", str(file))
    browser.press("Submit")
    until(lambda: "unverified" in browser.text("#standing"), "the checks have passed")
    return browser.path.partition("?")[0]


def main() -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "wort"
        path.mkdir(mode=0o700)
        ledger = Ledger(path / "ledger.db")
        fill(FilledHome(path, ledger))
        ledger.close()
        secret = AccessFile(path / "access.json").add("ann", (Right.SUBMIT,))
        file = Path(directory) / f"{SUBMITTED}.sig"
        file.write_bytes(text(document(SUBMITTED, hashes=2000)))
        with served(path) as url, browsing(url, Path(directory) / "chromium") as browser:
            take(browser, "serve-home", "/", height=940)
            take(browser, "serve-run", f"/view/sra/{FIRST}/", height=1560)
            take(browser, "serve-queue", "/queue", height=900, dark=True)
            take(browser, "serve-missing", "/view/sra/ERR598970/", height=640)
            take(browser, "serve-api", "/v1/ui/#get-v1-status-run", height=900)
            take(browser, "serve-submission", submit(browser, secret, file), height=1000)
            take(browser, "serve-phone", f"/view/sra/{FIRST}/", height=1000, width=390)


if __name__ == "__main__":
    main()
