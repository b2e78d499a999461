"""Calls function modules with saprfclib: one JSON request per line on standard input, one JSON answer per line on standard output."""

import json
import sys
import warnings

from saprfclib.connection import connect

warnings.simplefilter("ignore")


def plain(value):
    """What JSON can carry: bytes as objects of hexadecimal digits."""
    if isinstance(value, (bytes, bytearray)):
        return {"hex": bytes(value).hex()}
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return str(value)


def live(value):
    """The reverse."""
    if isinstance(value, dict) and set(value) == {"hex"}:
        return bytes.fromhex(value["hex"])
    if isinstance(value, dict):
        return {name: live(item) for name, item in value.items()}
    return [live(item) for item in value] if isinstance(value, list) else value


connection = None
for line in sys.stdin:
    request = json.loads(line)
    try:
        if "connect" in request:
            connection = connect(read_timeout=10, connect_timeout=10, **request["connect"])
            attributes = connection.get_connection_attributes()
            answer = {"result": {"sys_id": attributes.sys_id, "user": attributes.user, "client": attributes.client}}
        elif "call" in request:
            answer = {"result": plain(connection.call(request["call"], **live(request["parameters"])))}
        else:
            connection.close()
            answer = {"result": {}}
    except Exception as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps(answer), flush=True)
