#!/usr/bin/python3
"""Readers of the change feed that take what comes and drop it, many in one process, at little cost for each byte.

usage: feed_readers.py PORT READERS [CUSTOMERS]   with CUSTOMERS, reader n has the events of customer n % CUSTOMERS alone

Prints a line once all of them have begun. Ends when standard input does, with its CPU time and the bytes that it got.
"""

import json
import resource
import select
import socket
import sys

HOST = "127.0.0.1"
BUFFER_BYTES = 1 << 18
EVENTS_AT_ONCE = 256


def request(customer):
    query = f"?customer_id={customer}" if customer else ""
    return f"GET /api/v1/changes{query} HTTP/1.1\r\nHost: {HOST}\r\nAccept: application/x-ndjson\r\n\r\n".encode()


def main():
    port, readers = int(sys.argv[1]), int(sys.argv[2])
    customers = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    ready = select.epoll()
    ready.register(sys.stdin.fileno(), select.EPOLLIN)
    streams = {}
    for number in range(readers):
        stream = socket.create_connection((HOST, port))
        stream.sendall(request(f"c-{number % customers:06}" if customers else None))
        stream.recv(BUFFER_BYTES)
        stream.setblocking(False)
        ready.register(stream.fileno(), select.EPOLLIN)
        streams[stream.fileno()] = stream
    print("reading", flush=True)
    buffer = bytearray(BUFFER_BYTES)
    taken = ended = 0
    stdin = sys.stdin.fileno()
    while True:
        for descriptor, _ in ready.poll(maxevents=EVENTS_AT_ONCE):
            if descriptor == stdin:
                used = resource.getrusage(resource.RUSAGE_SELF)
                print(json.dumps({"cpu_s": used.ru_utime + used.ru_stime, "bytes": taken, "ended": ended}))
                return
            count = streams[descriptor].recv_into(buffer)
            taken += count
            if count == 0:
                ready.unregister(descriptor)
                ended += 1


if __name__ == "__main__":
    main()
