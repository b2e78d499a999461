"""Sends a message with Python's smtplib, through a SOCKS5 listener that asks for a token or directly. Reads what to do as JSON from standard input."""

import base64
import json
import smtplib
import socket
import ssl
import struct
import sys
from email.message import EmailMessage

wish = json.load(sys.stdin)


def through_socks(host, port):
    """RFC 1928 with the method 0x80: length and token, length and location, in big-endian order."""
    connection = socket.create_connection((wish["socks"]["host"], wish["socks"]["port"]), 15)

    def read(count):
        data = b""
        while len(data) < count:
            chunk = connection.recv(count - len(data))
            if not chunk:
                raise OSError(f"the proxy ends after {data!r}")
            data += chunk
        return data

    connection.sendall(b"\x05\x01\x80")
    assert read(2) == b"\x05\x80"
    token = wish["socks"]["token"].encode()
    location = base64.b64encode(b"")
    connection.sendall(b"\x01" + struct.pack(">I", len(token)) + token + bytes([len(location)]) + location)
    assert read(2) == b"\x01\x00"
    name = host.encode()
    connection.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + struct.pack(">H", port))
    reply = read(10)
    if reply[1] != 0:
        raise OSError(f"the proxy answers {reply[1]}")
    return connection


class Client(smtplib.SMTP):
    def _get_socket(self, host, port, timeout):
        return through_socks(host, port) if "socks" in wish else super()._get_socket(host, port, timeout)


message = EmailMessage()
message["From"], message["To"], message["Subject"] = wish["from"], wish["to"], wish["subject"]
message.set_content(wish["text"])
message.add_attachment(base64.b64decode(wish["bytes"]), maintype="application", subtype="octet-stream", filename="bytes.bin")

with Client(wish["host"], wish["port"], timeout=15) as client:
    if "authority" in wish:
        context = ssl.create_default_context(cafile=wish["authority"])
        # The certificate is that of the relay, whatever the name it is reached by.
        client._host = wish["certificateName"]
        client.starttls(context=context)
    client.login(wish["user"], wish["password"])
    print(json.dumps({"refused": client.send_message(message)}))
