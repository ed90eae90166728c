"""A DNS server for the names of a cluster's Services. Debian has no package of the usual one."""

import socket
import struct
import threading

TYPE_A = 1
NAME_ERROR = 3
SECONDS_TO_LIVE = 2
QUERY_BYTES_MAX = 512


class ServiceNames:
    """Answers on `address`, port 53, until closed. `find(kind, namespace, name)` returns an object of the API server, or None."""

    def __init__(self, address, domain, find):
        self._suffix = ["svc", *domain.split(".")]
        self._find = find
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._socket.close()

    def addresses(self, labels):
        """Returns the addresses of SERVICE.NAMESPACE.svc.DOMAIN, or of POD.SERVICE.NAMESPACE.svc.DOMAIN; None if the name does not
        exist."""
        own, suffix = labels[:-len(self._suffix)], labels[-len(self._suffix):]
        if suffix != self._suffix or len(own) not in (2, 3):
            return None
        name, namespace = own[-2:]
        service = self._find("services", namespace, name)
        if service is None:
            return None
        if len(own) == 2 and service["spec"]["clusterIP"] != "None":
            return [service["spec"]["clusterIP"]]
        endpoints = self._find("endpoints", namespace, name) or {}
        pods = [address for subset in endpoints.get("subsets") or [] for address in subset.get("addresses") or []]
        return [pod["ip"] for pod in pods if len(own) == 2 or pod.get("hostname") == own[0]]

    def _serve(self):
        while True:
            try:
                query, asker = self._socket.recvfrom(QUERY_BYTES_MAX)
                self._socket.sendto(self._answer(query), asker)
            except (OSError, IndexError, struct.error):  # closed, or a malformed question: the client retries
                if self._socket.fileno() < 0:
                    return

    def _answer(self, query):
        labels, position = [], 12
        while length := query[position]:
            labels.append(query[position + 1:position + 1 + length].decode("ascii", "replace").lower())
            position += 1 + length
        question_end = position + 5
        kind = struct.unpack_from(">H", query, position + 1)[0]
        found = self.addresses(labels)
        records = (found or []) if kind == TYPE_A else []
        flags = 0x8580 | (NAME_ERROR if found is None else 0)  # an authoritative answer; recursion was offered
        header = query[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0)
        # Each record refers to the name in the question by its offset in the packet.
        answers = [struct.pack(">HHHIH", 0xC00C, TYPE_A, 1, SECONDS_TO_LIVE, 4) + socket.inet_aton(address) for address in records]
        return header + query[12:question_end] + b"".join(answers)
