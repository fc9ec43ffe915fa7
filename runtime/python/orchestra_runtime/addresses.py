"""Which addresses a URL may lead to, also after redirects and whatever its host resolves to: the same that the server refuses
(src/dataset/address.cc). Code of the user is not held to it; this is for what the runtime itself fetches."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from typing import Any

# Link-local, metadata of clouds, reserved. Ranges: the IANA special-purpose registries.
_REFUSED = [ipaddress.ip_network(each) for each in (
    "0.0.0.0/8", "100.100.100.200/32", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/3",
    "::/128", "fd00:ec2::254/128", "fe80::/9", "ff00::/8")]
# Loopback, private networks, shared address space, benchmarking.
_PRIVATE = [ipaddress.ip_network(each) for each in (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "::1/128", "fc00::/7")]
_EMBEDDING = [ipaddress.ip_network(each) for each in ("::ffff:0:0/96", "64:ff9b::/96", "::/96")]  # IPv4 in the last four bytes
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")
_LOOPBACK = ipaddress.ip_address("::1")


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_allowed: list[_Network] | None = None


def restrict(networks: Sequence[str] | None) -> None:
    """Of loopback and private networks these alone are allowed from now on; None: all."""
    global _allowed
    _allowed = None if networks is None else [ipaddress.ip_network(each, strict=False) for each in networks]


def _is_within(address: _Address, networks: Sequence[_Network]) -> bool:
    return any(address.version == each.version and address in each for each in networks)


def check(text: str) -> None:
    """OSError for an address that is refused."""
    address = ipaddress.ip_address(text.partition("%")[0])
    meant = _embedded(address)
    if _is_within(meant, _REFUSED):
        raise OSError(f"the address {text} (link-local, metadata or reserved) is refused")
    if _allowed is not None and _is_within(meant, _PRIVATE) and not _is_within(meant, _allowed):
        raise OSError(f"the address {text} (loopback or a private network) is refused")


def connect(host_and_port: tuple[str, int], timeout: Any = None, source_address: Any = None) -> socket.socket:
    """As socket.create_connection, to the first of the host's addresses that answers. The address that is connected to is the one
    that was checked."""
    failed: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(*host_and_port, type=socket.SOCK_STREAM):
        try:
            check(str(address[0]))
            return _connected(socket.socket(family, kind, protocol), address, timeout)
        except OSError as error:
            failed = error
    raise failed or OSError(f"{host_and_port[0]} has no address")


def _connected(connection: socket.socket, address: Any, timeout: Any) -> socket.socket:
    try:
        connection.settimeout(timeout)
        connection.connect(address)
        return connection
    except BaseException:
        connection.close()
        raise


def _embedded(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one stands for, else itself."""
    if address.version == 4 or address == _LOOPBACK or int(address) == 0:
        return address
    if address in _SIX_TO_FOUR:
        return ipaddress.ip_address(address.packed[2:6])
    return ipaddress.ip_address(address.packed[12:]) if any(address in each for each in _EMBEDDING) else address
