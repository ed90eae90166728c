"""A TCP proxy before one server that holds back what is sent through it, one way or both, as a network that is cut off does. What was
held back arrives late once it is open again, unless an end gave the connection up meanwhile."""

import socket
import threading

from support.http_client import HOST, RECEIVE_BYTES
from support.scripted_server import serve_each

UP, DOWN = "to the server", "to the client"


class Blackhole:
    """A context manager."""

    def __init__(self, target_port):
        self._target_port = target_port
        self._open = {UP: threading.Event(), DOWN: threading.Event()}
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        self.open()

    def __enter__(self):
        serve_each(self._listening, self._serve)
        return self

    def __exit__(self, *_):
        self.open()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def cut(self, *ways):
        for way in ways:
            self._open[way].clear()

    def open(self):
        for each in self._open.values():
            each.set()

    def _serve(self, client):
        try:
            server = socket.create_connection((HOST, self._target_port))
        except OSError:
            return
        with server:
            upward = threading.Thread(target=self._pass_on, args=(client, server, UP), daemon=True)
            upward.start()
            self._pass_on(server, client, DOWN)
            upward.join()

    def _pass_on(self, source, target, way):
        try:
            while data := source.recv(RECEIVE_BYTES):
                self._open[way].wait()
                target.sendall(data)
        except OSError:
            pass
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
