"""Calls function modules with zeep, which knows nothing but the WSDL. Reads one JSON object, writes one."""

import base64
import json
import sys

from requests import Session
from requests.auth import HTTPBasicAuth
from zeep import Client, Transport
from zeep.exceptions import Fault
from zeep.helpers import serialize_object


def plain(value):
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def main():
    request = json.load(sys.stdin)
    session = Session()
    session.trust_env = False
    session.auth = HTTPBasicAuth(request["user"], request["password"])
    client = Client(request["wsdl"], transport=Transport(session=session, timeout=5, operation_timeout=5))
    operation = client.service[request["function"]]
    try:
        answer = {"result": serialize_object(operation(**request["parameters"]), dict)}
    except Fault as fault:
        answer = {"fault": fault.message, "detail": [child.tag for child in fault.detail]}
    json.dump(answer, sys.stdout, default=plain)


main()
