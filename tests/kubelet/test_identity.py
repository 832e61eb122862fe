"""The kubelet's own tokens: a Pod may claim for its own node, and for no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.kubelet.loads import PYTHON
from tests.kubelet.site import FIRST, SECOND

if TYPE_CHECKING:
    from tests.kubelet.loads import Place
    from tests.kubelet.site import Site

pytestmark = pytest.mark.kubelet

# Runs in the Pod, with its token and its CA, as any program there could.
_ASK = """
import http.client, json, os, ssl, sys
from urllib.parse import urlsplit
where = urlsplit(os.environ["NODE_SLOTS_URL"])
trusted = ssl.create_default_context(cafile=os.environ["NODE_SLOTS_CA_FILE"])
line = http.client.HTTPSConnection(where.hostname, where.port, context=trusted, timeout=30)
_, method, node, token = sys.argv
token = token or open(os.environ["NODE_SLOTS_TOKEN_FILE"]).read().strip()
path = f"/v1/namespaces/velero/nodes/{node}/claims/by-hand"
head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
line.request(method, path, json.dumps({"load": "by-hand"}), head)
answer = line.getresponse()
print(json.dumps([answer.status, json.loads(answer.read() or "{}").get("type", "")]))
"""


def ask(site: Site, node: str, method: str = "PUT", token: str = "") -> tuple[int, str]:
    """What the Pod `asks` is answered about a slot of that node; with its own token by default."""
    words = ("exec", "asks", "--container=hold", "--", PYTHON, "-c", _ASK, method, node, token)
    status, kind = json.loads(site.kubectl(*words))
    return status, kind.rpartition("/")[2]


@pytest.fixture
def asks(site: Site, place: Place) -> Place:
    """A Pod on the first node, which has room for one more claim."""
    site.limit(2)
    site.kubectl.apply(place.pod("asks", FIRST))
    place.journal.wait_started("asks")
    return place


def test_a_token_opens_the_pods_own_node_only(site: Site, asks: Place) -> None:
    assert ask(site, SECOND) == (403, "forbidden")
    assert ask(site, FIRST, token="nobody") == (401, "unauthenticated")
    assert not site.holders(SECOND)
    assert ask(site, FIRST) == (200, "")
    assert ask(site, SECOND, "DELETE") == (403, "forbidden")
    assert ask(site, FIRST, "DELETE") == (204, "")
    asks.journal.end_all()
    site.wait_succeeded("asks")
