"""Code by URL."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from orchestra_runtime import addresses, download


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, headers, body = {
            "/code.py": (200, {}, "response = 'ü'".encode()),
            "/latin.py": (200, {"Content-Type": "text/plain; charset=latin-1"}, "response = 'ü'".encode("latin-1")),
            "/moved": (302, {"Location": "/code.py"}, b""),
            "/to-file": (302, {"Location": "file:///etc/passwd"}, b""),
            "/to-ftp": (302, {"Location": "ftp://127.0.0.1/x"}, b""),
            "/to-metadata": (302, {"Location": "http://169.254.169.254/latest"}, b""),
            "/to-mapped": (302, {"Location": "http://[::ffff:a9fe:a9fe]/latest"}, b""),
            "/to-decimal": (302, {"Location": "http://2852039166/latest"}, b""),
            "/large": (200, {}, b"#" * (download.MAX_BYTES + 1)),
            "/binary": (200, {}, b"\xff\xfe"),
        }.get(self.path, (404, {}, b"no"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_text_is_the_code_itself() -> None:
    assert download.code("response = 'http://x'", "function") == "response = 'http://x'"


@pytest.mark.parametrize("path", ["/code.py", "/latin.py", "/moved"])
def test_a_url_is_fetched(url: str, path: str) -> None:
    assert download.code(url + path, "function") == "response = 'ü'"


@pytest.mark.parametrize(("path", "said"), [
    ("/absent", "HTTP Error 404"), ("/to-file", "not allowed|file"), ("/to-ftp", "ftp"),
    ("/to-metadata", "169.254.169.254 .* is refused"), ("/to-mapped", "is refused"), ("/to-decimal", "169.254.169.254 .* is refused"), ("/large", "more than 16777216 bytes"),
    ("/binary", "decode"),
])
def test_what_fails_names_field_and_url(url: str, path: str, said: str) -> None:
    with pytest.raises(download.DownloadFailed, match=said) as raised:
        download.code(url + path, "function")
    assert str(raised.value).startswith(f"function: the code could not be read from {url}{path}: ")


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(download.DownloadFailed, match="refused"):
        download.code("http://127.0.0.1:1/x", "function")


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "100.100.100.200", "192.0.0.192", "255.255.255.255", "::", "fe80::1%eth0",
                                     "fd00:ec2::254", "ff02::1", "::ffff:169.254.1.1", "64:ff9b::a9fe:1", "2002:a9fe:a9fe::", "::169.254.1.1"])
def test_addresses_that_no_url_may_lead_to(address: str) -> None:
    with pytest.raises(OSError, match="is refused"):
        addresses.check(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fd12::1", "93.184.215.14", "2606:2800::1", "::ffff:127.0.0.1"])
def test_addresses_that_are_allowed(address: str) -> None:
    addresses.check(address)


@pytest.fixture
def restrict() -> Iterator[Callable[[Sequence[str]], None]]:
    yield addresses.restrict
    addresses.restrict(None)


@pytest.mark.parametrize("networks, allowed, refused", [
    ([], ["93.184.215.14", "2606:2800::1"], ["127.0.0.1", "10.1.2.3", "::1", "fd12::1", "::ffff:10.1.2.3"]),
    (["10.1.0.0/16", "fd12::/16"], ["10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "93.184.215.14"], ["10.2.0.1", "127.0.0.1", "::1", "fd13::1"]),
    (["0.0.0.0/0"], ["127.0.0.1"], ["169.254.169.254"])])
def test_private_networks_where_they_are_restricted(networks: list[str], allowed: list[str], refused: list[str],
                                                    restrict: Callable[[Sequence[str]], None]) -> None:
    restrict(networks)
    for address in allowed:
        addresses.check(address)
    for address in refused:
        with pytest.raises(OSError, match="is refused"):
            addresses.check(address)
