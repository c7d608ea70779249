"""A serial port served over TCP, raw or by RFC 2217: `socket://` and `rfc2217://` lead to it."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import Any

import serial
import serial.rfc2217


class _PseudoTerminal(serial.Serial):  # type: ignore[misc]
    """A port without modem lines, which RFC 2217 asks for."""

    cts = dsr = ri = cd = False

    def _update_dtr_state(self) -> None:
        pass

    def _update_rts_state(self) -> None:
        pass


class PortServer:
    """Serves one client after the other, in a thread, from `with` to its end.

    Args:
        port: name of the serial port.
        rfc2217: speak the Telnet option, with the client's baud rate and lines; otherwise bytes alone.
    """

    def __init__(self, port: str, *, rfc2217: bool) -> None:
        self._port = port
        self._rfc2217 = rfc2217
        self._listener = socket.create_server(("localhost", 0))
        self.number = int(self._listener.getsockname()[1])
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> PortServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            if not select.select([self._listener], [], [], 0.05)[0]:
                continue
            client, _ = self._listener.accept()
            with client, _PseudoTerminal(self._port, timeout=0) as port, contextlib.suppress(OSError):
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._forward(client, port)

    def _forward(self, client: socket.socket, port: Any) -> None:
        manager = None
        if self._rfc2217:
            manager = serial.rfc2217.PortManager(port, _Sender(client))
        while not self._ended.is_set():
            ready, _, _ = select.select([client, port.fileno()], [], [], 0.05)
            if client in ready:
                data = client.recv(4096)
                if not data:
                    return
                port.write(b"".join(manager.filter(data)) if manager else data)
            if port.fileno() in ready:
                data = port.read(4096)
                client.sendall(b"".join(manager.escape(data)) if manager else data)


class _Sender:
    """What PortManager writes its own words to."""

    def __init__(self, client: socket.socket) -> None:
        self.write = client.sendall
