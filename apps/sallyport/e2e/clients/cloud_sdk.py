"""Calls of the SAP Cloud SDK for Python. Standard input is a JSON list of calls, the answer a list of outcomes.

The binding is in CLOUD_SDK_CFG_DESTINATION_DEFAULT_*, as the SDK reads it.
"""

import json
import sys

from sap_cloud_sdk.destination import (
    AccessStrategy,
    ConsumptionLevel,
    ConsumptionOptions,
    DestinationHttpClient,
    create_client,
)

client = create_client()


def outcome(call):
    name = call["destination"]
    if "strategy" in call:
        found = client.get_subaccount_destination(name, access_strategy=AccessStrategy[call["strategy"]], tenant=call["tenant"])
        return {"url": found.url if found else None}
    options = ConsumptionOptions(user_token=call.get("userToken"), refresh_token=call.get("refreshToken"))
    found = client.get_destination(name, level=ConsumptionLevel.PROVIDER_SUBACCOUNT, options=options)
    if found is None:
        return {"url": None}
    errors = [token.error for token in found.auth_tokens if token.error]
    if errors:
        return {"error": "; ".join(errors)}
    with DestinationHttpClient(found) as http:
        response = http.request("GET", "/x")
        return {"status": response.status_code, "data": response.json()}


outcomes = []
for call in json.load(sys.stdin):
    try:
        outcomes.append(outcome(call))
    except Exception as error:  # noqa: BLE001 - every failure is an outcome
        outcomes.append({"error": f"{type(error).__name__}: {error}"})
print(json.dumps(outcomes))
