"""The same look-up as a service in a scripting language, by the HTTP server that it
comes with, to measure the gateway beside. Arguments as of lookup.c: the socket,
and the addresses in order."""

import array
import bisect
import http.server
import ipaddress
import socketserver
import sys

ADDRESSES = array.array("I")
with open(sys.argv[2], "rb") as file:
    ADDRESSES.frombytes(file.read())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        address = int(ipaddress.ip_address(self.headers["X-Real-IP"]))
        at = bisect.bisect_left(ADDRESSES, address)
        listed = at < len(ADDRESSES) and ADDRESSES[at] == address
        self.send_response(403 if listed else 204)
        if listed:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            # Whoever asked has gone.
            pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    # Of its five who come at once the others would be turned away.
    request_queue_size = 128


Server(sys.argv[1], Handler).serve_forever()
