"""The same look-up as lookup.py with no more than it takes: no server of the
library, no parser of headers. Arguments as of lookup.c: the socket, and the
addresses in order."""

import array
import asyncio
import bisect
import socket
import sys

ADDRESSES = array.array("I")
with open(sys.argv[2], "rb") as file:
    ADDRESSES.frombytes(file.read())
COUNT = len(ADDRESSES)
LISTED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
UNLISTED = b"HTTP/1.1 204 No Content\r\n\r\n"


class Client(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.left = b""

    def data_received(self, data):
        self.left += data
        while (end := self.left.find(b"\r\n\r\n")) >= 0:
            head, self.left = self.left[: end + 2].lower(), self.left[end + 4 :]
            begin = head.index(b"\r\nx-real-ip:") + 12
            text = head[begin : head.index(b"\r\n", begin)].strip()
            address = int.from_bytes(socket.inet_aton(text.decode()), "big")
            at = bisect.bisect_left(ADDRESSES, address)
            listed = at < COUNT and ADDRESSES[at] == address
            self.transport.write(LISTED if listed else UNLISTED)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(Client, sys.argv[1])
    await server.serve_forever()


asyncio.run(main())
