"""Attacks on a gateway, as pysap makes them: one line of JSON per attack, with everything that came back and whether the connection was closed."""

import json
import socket
import struct
import sys

from pysap.SAPNI import SAPNI
from pysap.SAPRFC import SAPRFC
from pysap.SAPRouter import SAPRouter, SAPRouterRouteHop

PORT = int(sys.argv[1])


def client_record(**fields):
    return bytes(SAPRFC(version=2, req_type=3, service="attacker", lu="attacker", tp="attacker", **fields))


def request(kind, **fields):
    return bytes(SAPRFC(version=2, req_type=kind, **fields))


def appc(function, **fields):
    """A record of version 6 with the conversation that was assigned, if any was."""
    record = bytearray(bytes(SAPRFC(version=6, func_type=function, protocol=2, **fields)))
    record.extend(bytes(max(0, 80 - len(record))))
    return bytes(record)


def route(*hops):
    return bytes(
        SAPRouter(
            type=SAPRouter.SAPROUTER_ROUTE,
            route_entries=len(hops),
            route_talk_mode=0,
            route_rest_nodes=1,
            route_length=sum(len(bytes(hop)) for hop in hops),
            route_offset=len(bytes(hops[0])),
            route_string=list(hops),
        )
    )


ATTACKS = {
    # Kinds of connections: monitor commands, registration and cancellation of programs, work processes, remote gateways.
    **{f"connection of kind {kind}": [request(kind)] for kind in list(range(0, 3)) + list(range(4, 19))},
    "monitor command": [request(9, cmd=2)],
    "a program registered after a normal connection": [client_record(), appc(0xCF)],
    "a program accepted after a normal connection": [client_record(), appc(0xD1)],
    "a call without a conversation": [client_record(), appc(0xCB, sap_param_len=8)],
    "initialisation by SAP_INIT": [client_record(), appc(0xCA)],
    "security settings": [client_record(), appc(0x11)],
    "another user": [client_record(), appc(0xD4)],
    "a route": [route(SAPRouterRouteHop(hostname="router", port=3299), SAPRouterRouteHop(hostname="10.0.0.7", port=22))],
    "administration of a SAProuter": [bytes(SAPRouter(type=SAPRouter.SAPROUTER_ADMIN, version=2, adm_command=2))],
    "a length beyond everything": [None],
}


def receive(connection):
    """What comes until the connection is closed or silent."""
    data = b""
    try:
        while True:
            chunk = connection.recv(65536)
            if not chunk:
                return data, True
            data += chunk
    except socket.timeout:
        return data, False
    except ConnectionError:
        return data, True


def answer_to(connection):
    """One frame."""
    head = connection.recv(4, socket.MSG_WAITALL)
    return connection.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL) if len(head) == 4 else b""


for name, packets in ATTACKS.items():
    with socket.create_connection(("127.0.0.1", PORT), timeout=5) as connection:
        for at, packet in enumerate(packets):
            frame = struct.pack(">I", 0x7FFFFFFF) if packet is None else bytes(SAPNI() / packet)
            try:
                connection.sendall(frame)
                if at + 1 < len(packets):
                    answer_to(connection)
            except ConnectionError:
                break
        data, closed = receive(connection)
    print(json.dumps({"name": name, "sent": [len(packet) if packet else 4 for packet in packets], "data": data.hex(), "closed": closed}), flush=True)
