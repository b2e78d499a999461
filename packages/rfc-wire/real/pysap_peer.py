"""Reads and writes packets with pysap: one JSON request per line on standard input, one JSON answer per line on standard output."""

import json
import sys

from pysap.SAPMS import SAPMS
from pysap.SAPNI import SAPNI
from pysap.SAPRFC import SAPRFC, SAPRFCDTStruct, SAPRFCEXTEND, SAPRFCRFCIDBody, SAPRFCRFCIDTransition
from pysap.SAPRouter import SAPRouter, SAPRouterRouteHop

CLASSES = {
    "SAPMS": SAPMS,
    "SAPNI": SAPNI,
    "SAPRFC": SAPRFC,
    "SAPRFCDTStruct": SAPRFCDTStruct,
    "SAPRFCEXTEND": SAPRFCEXTEND,
    "SAPRFCRFCIDBody": SAPRFCRFCIDBody,
    "SAPRFCRFCIDTransition": SAPRFCRFCIDTransition,
    "SAPRouter": SAPRouter,
    "SAPRouterRouteHop": SAPRouterRouteHop,
}


def plain(value):
    """What JSON can carry: bytes as text of single bytes, packets as objects, flags and numbers as numbers."""
    if isinstance(value, (bytes, bytearray)):
        return value.decode("latin-1")
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "fields_desc"):
        # What was dissected, not every field the class could have.
        return {name: plain(item) for name, item in value.fields.items()}
    if value is None or isinstance(value, (str, bool)):
        return value
    return int(value)


def live(value):
    """The reverse: an object with a class becomes a packet, one with hexadecimal digits becomes bytes."""
    if isinstance(value, list):
        return [live(item) for item in value]
    if isinstance(value, dict) and "hex" in value:
        return bytes.fromhex(value["hex"])
    if isinstance(value, dict):
        return CLASSES[value["class"]](**{name: live(item) for name, item in value["fields"].items()})
    return value.encode("latin-1") if isinstance(value, str) else value


for line in sys.stdin:
    request = json.loads(line)
    if "parse" in request:
        packet = CLASSES[request["parse"]](bytes.fromhex(request["hex"]))
        answer = {"fields": plain(packet), "again": bytes(packet).hex()}
    else:
        answer = {"hex": bytes(live(request["build"])).hex()}
    print(json.dumps(answer), flush=True)
