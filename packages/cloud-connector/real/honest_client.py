"""Logs on with saprfclib and calls what it is told to: one JSON document per call on standard output."""

import json
import sys
import warnings

from saprfclib.connection import connect

warnings.simplefilter("ignore")
settings = json.loads(sys.argv[1])

try:
    connection = connect(read_timeout=10, connect_timeout=10, **settings["logon"])
    for name, parameters in settings["calls"]:
        result = connection.call(name, **parameters)
        print(json.dumps({"name": name, "result": {key: value for key, value in result.items() if isinstance(value, (str, int))}}), flush=True)
    connection.close()
except Exception as error:
    print(json.dumps({"error": type(error).__name__, "message": str(error)}), flush=True)
