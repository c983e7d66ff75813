"""Runs that do not exist, and a server that never answers."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread

from tests.support.bad_cases import BadCase, check_bad_case
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf

NOT_FOUND = BadCase(
    *("missing", lambda *_: None, "unavailable", "not-found", 3),
    *("neither NCBI nor this machine has it", "check the accession"),
)


def test_missing_run_with_now(home: Home) -> None:
    check_bad_case(home, "SRR999999", home("compute", "SRR999999", "--now"), NOT_FOUND)


def test_missing_run_with_the_daemon(home: Home) -> None:
    home("daemon", "start").expect(0)
    check_bad_case(home, "SRR999999", home("compute", "SRR999999", "--wait"), NOT_FOUND)


@contextmanager
def silent_server() -> Iterator[int]:
    """Start a server on the loopback that accepts connections and never answers; yield its port."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # closed at the end of the test
                    return
                stack.callback(connection.close)

        thread = Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def use_server(home: Home, port: int) -> None:
    resolvers = ("main/SDL.2", "main/CGI", "protected/SDL.2", "protected/CGI")
    home.configure_toolkit(
        *(f'/repository/remote/{kind}/resolver-cgi = "http://127.0.0.1:{port}/x"' for kind in resolvers)
    )


def test_silent_network_with_now(home: Home) -> None:
    with silent_server() as port:
        use_server(home, port)
        done = home("compute", "SRR999999", "--now", env={"WORT_RESOLVE_TIMEOUT": "2"}, timeout=300)
        home.until_idle()
    done.expect(75, "waiting until", "network", "cannot be reached", "within 2 seconds", "check the network")
    job = home.job("SRR999999")
    assert (job.state, job.reason, job.attempt) == ("waiting", "network", 1)
    assert not home.signature_files()


def test_silent_network_with_the_daemon(home: Home, shelf: Shelf) -> None:
    """The job delays another run for the timeout at most, and then waits for its retry."""
    home.keep("SRR000001", shelf.archive())
    with silent_server() as port:
        use_server(home, port)
        home("daemon", "start", env={"WORT_RESOLVE_TIMEOUT": "2", "WORT_JOBS": "1"}).expect(0)
        done = home("compute", "SRR999999", "SRR000001", "--wait").expect(75, "network", "check the network")
    assert {row[0]: (row[1], row[3]) for row in done.rows()} == {
        "SRR999999": ("waiting", "network"),
        "SRR000001": ("done", ""),
    }


def test_daemon_stops_while_a_tool_waits_for_the_network(home: Home) -> None:
    """The toolkit ignores SIGTERM while it waits for an answer; the daemon stops anyway and kills the tool."""
    with silent_server() as port:
        use_server(home, port)
        home("daemon", "start").expect(0)
        home("compute", "SRR999999").expect(0)
        until(lambda: [p for p in home.processes() if "srapath" in p.name], "srapath asks the server")
        home("daemon", "stop").expect(0)
        home.until_idle()
    assert home.job("SRR999999").state == "queued"
