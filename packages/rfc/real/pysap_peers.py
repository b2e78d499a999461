"""Plays both sides of RFC with packets that pysap builds and reads: one JSON request per line on standard input, one JSON answer per line on standard output."""

import json
import socket
import sys
import threading

from pysap.SAPMS import SAPMS
from pysap.SAPNI import SAPNI, SAPNIStreamSocket
from pysap.SAPRFC import SAPRFC, SAPRFCDTStruct, SAPRFCEXTEND, SAPRFCRFCIDBody
from pysap.SAPRouter import SAPRoutedStreamSocket, SAPRouter, SAPRouterError, SAPRouterRouteHop
from scapy.packet import Raw

CONVERSATION = b"75568442"


def take(connection):
    """The payload of the next NI frame."""
    head = b""
    while len(head) < 4:
        part = connection.recv(4 - len(head))
        if not part:
            raise EOFError
        head += part
    length = int.from_bytes(head, "big")
    body = b""
    while len(body) < length:
        part = connection.recv(length - len(body))
        if not part:
            raise EOFError
        body += part
    return body


def send(connection, payload):
    connection.sendall(bytes(SAPNI() / Raw(bytes(payload))))


def plain(value):
    if isinstance(value, (bytes, bytearray)):
        return value.decode("latin-1")
    return value if value is None or isinstance(value, (str, int)) else str(value)


def serve(handle):
    """A server for one connection at a time; what it has read is returned with `seen`."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []

    def run():
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    handle(connection, seen)
                except EOFError:
                    pass

    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1], seen


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def router(target, deny):
    """A SAProuter with the packets of pysap."""

    def handle(connection, seen):
        request = SAPRouter(take(connection))
        hops = [[plain(hop.hostname), plain(hop.port), plain(hop.password)] for hop in request.route_string]
        seen.append({"type": plain(request.type), "rest": request.route_rest_nodes, "offset": request.route_offset, "hops": hops})
        if deny:
            text = SAPRouterError(error="denied by pysap", return_code="-94")
            send(connection, SAPRouter(type="NI_RTERR", return_code=-94, err_text_value=text))
            return
        far = socket.create_connection(("127.0.0.1", target))
        send(connection, SAPRouter(type="NI_PONG"))
        back = threading.Thread(target=copy, args=(far, connection))
        back.start()
        copy(connection, far)
        back.join()
        far.close()

    return serve(handle)


def message_server(port):
    """A message server with the packets of pysap; pysap does not know the look-up of groups, so its body is built by hand."""

    def handle(connection, seen):
        login = SAPMS(take(connection))
        seen.append({"flag": login.flag, "iflag": login.iflag, "toname": plain(login.toname).rstrip()})
        name = b"MSG_SERVER".ljust(40)
        send(connection, SAPMS(flag=2, iflag=8, fromname=name))
        request = take(connection)
        group = request[158:198]
        seen.append({"flag": SAPMS(request).flag, "group": group.rstrip(b"\0").decode()})
        host = b"127.0.0.1"
        body = b"\x2c\x00\x01\x03" + bytes(40) + (44).to_bytes(4, "big") + group + b"\x01\x00\x00\x00"
        body += (port - 100).to_bytes(2, "big") + len(host).to_bytes(2, "big") + host + b" "
        send(connection, bytes(SAPMS(flag=3, iflag=1, fromname=name)) + body)
        seen.append({"iflag": SAPMS(take(connection)).iflag})

    return serve(handle)


def record(function, **fields):
    """80 bytes of a record as servers send it, built by pysap."""
    return SAPRFC(version=6, func_type=function, protocol=2, uid=0xFFFF, info=1, timeout=500, conv_id=CONVERSATION, cm_ok_padd=bytes(32), **fields)


def gateway(text):
    """A gateway with the packets of pysap, which takes a client up to its logon and refuses that."""

    def handle(connection, seen):
        first = SAPRFC(take(connection))
        seen.append({"version": first.version, "req_type": first.req_type, "service": plain(first.service).rstrip("\0"), "codepage": plain(first.codepage)})
        first.codepage = b"4103"
        send(connection, first)
        initialize = take(connection)
        parsed = SAPRFCEXTEND(initialize[48:80])
        options = SAPRFCDTStruct(b"\x60" + initialize[114:453])
        seen.append({
            "func_type": SAPRFC(initialize).func_type,
            "tp": plain(parsed.ncpic_tp).rstrip(),
            "long_lu": plain(options.long_lu).rstrip("\0"),
            "long_tp": plain(options.long_tp).rstrip("\0"),
        })
        parsed.conn_idx = 4
        reply = bytearray(bytes(record(1)))
        reply[48:80] = bytes(parsed)
        send(connection, reply)
        seen.append({"func_type": SAPRFC(take(connection)).func_type})
        seen.append({"func_type": SAPRFC(take(connection)).func_type})
        send(connection, record(5))
        logon = SAPRFCRFCIDBody(take(connection)[80:])
        fields = {step.next_rfc_id: step.value for step in logon.transitions if isinstance(step.value, bytes)}
        seen.append({"user": plain(fields[0x0111]), "client": plain(fields[0x0114]), "function": plain(fields[0x0102]), "size": logon.rfc_packet_size})
        chain = bytes.fromhex("0101000801010101010100000101" + "050000000500" + "0402") + len(text).to_bytes(2, "big") + text.encode()
        chain += bytes.fromhex("0402ffff0000ffff")
        refusal = bytearray(bytes(record(0xCB, appc_rc=18)))
        refusal[48:52] = (28000).to_bytes(4, "big")
        refusal[56:60] = len(chain).to_bytes(4, "big")
        refusal[31] = 8
        send(connection, bytes(refusal) + chain)

    return serve(handle)


def greet(port, router_port):
    """Opens a connection as pysap's own client does, through a SAProuter if there is one."""
    if router_port is None:
        link = SAPNIStreamSocket.get_nisocket("127.0.0.1", port, base_cls=SAPRFC, timeout=10)
    else:
        hops = [SAPRouterRouteHop(hostname="127.0.0.1", port=router_port), SAPRouterRouteHop(hostname="127.0.0.1", port=port)]
        raw = socket.create_connection(("127.0.0.1", router_port))
        link = SAPRoutedStreamSocket(raw, hops, router_version=40, base_cls=SAPRFC, timeout=10)
    hello = SAPRFC(version=2, req_type=3, service=b"sapgw00".ljust(10, b"\0"), lu=b"pysap".ljust(8), tp=b"pysap".ljust(8), conversation_id=b" " * 8)
    answer = link.sr(hello)[SAPRFC]
    link.close()
    return {"version": answer.version, "req_type": answer.req_type, "codepage": plain(answer.codepage), "rc": answer.rc}


servers = {}
for line in sys.stdin:
    request = json.loads(line)
    if "seen" in request:
        answer = {"seen": servers[request["seen"]]}
    elif "greet" in request:
        answer = greet(request["greet"], request.get("router"))
    else:
        if "router" in request:
            port, seen = router(request["router"], request["deny"])
        elif "message_server" in request:
            port, seen = message_server(request["message_server"])
        else:
            port, seen = gateway(request["gateway"])
        servers[port] = seen
        answer = {"port": port}
    print(json.dumps(answer), flush=True)
