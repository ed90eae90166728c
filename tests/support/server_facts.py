"""What a server says about itself."""

import re


def positions(client):
    response = client.get("/-/position")
    assert response.status == 200, response.body
    return response.json()


def metric(client, name):
    """The value of a metric without labels; None if it is not there."""
    found = re.search(rf"^{name} (\S+)$", client.get("/metrics").body.decode(), re.MULTILINE)
    return float(found[1]) if found else None
