"""The ground that the tier stands on: Pods with addresses, Services, and the runtime's journal."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.waiting import until
from tests.e2e.wire import Http, NoAnswer
from tests.kubelet.kubectl import Kubectl
from tests.velero import images, network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.velero.site import Site

pytestmark = pytest.mark.velero

SPACE = "network"
PORT = 8080
# Runs in a Pod, which finds the API server as every program in a cluster does.
_WHO_AM_I = """
import json, os, ssl, urllib.request
account = '/var/run/secrets/kubernetes.io/serviceaccount/'
kind = {'apiVersion': 'authentication.k8s.io/v1', 'kind': 'SelfSubjectReview'}
where = os.environ['KUBERNETES_SERVICE_HOST'] + ':' + os.environ['KUBERNETES_SERVICE_PORT']
head = {'Authorization': 'Bearer ' + open(account + 'token').read()}
head['Content-Type'] = 'application/json'
url = 'https://' + where + '/apis/authentication.k8s.io/v1/selfsubjectreviews'
request = urllib.request.Request(url, json.dumps(kind).encode(), head)
trusted = ssl.create_default_context(cafile=account + 'ca.crt')
print(json.load(urllib.request.urlopen(request, context=trusted))['status']['userInfo']['username'])
"""
_TELL_NAME = """
import http.server, os
class Teller(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ['HOSTNAME'].encode())
http.server.HTTPServer(('', int(os.environ['PORT'])), Teller).serve_forever()
"""
_ASK_TWICE = """
import sys, urllib.request
print(*sorted(urllib.request.urlopen(sys.argv[1]).read().decode() for _ in range(2)))
"""


@pytest.fixture(scope="module")
def kubectl(whole_site: Site) -> Iterator[Kubectl]:
    """In a namespace of its own."""
    plane = whole_site.plane
    plane.add_namespace(SPACE)
    made = Kubectl(plane.programs / "kubectl", plane.server.kubeconfig, SPACE)
    yield made
    made("delete", "namespace", SPACE, "--wait=false")


def pod(name: str, program: str, *words: str, **container: Any) -> Any:
    """It runs a Python program, once."""
    command = ["python3.11", "-c", program, *words]
    main = {"name": "main", "image": images.PROJECT, "command": command, **container}
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [main]}
    head = {"name": name, "labels": {"app": name.partition("-")[0]}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": head, "spec": spec}


def teller(number: int) -> Any:
    """A Pod behind the Service `teller`."""
    # Once ready it stays so: it serves one after the other, and may stand still meanwhile.
    ready = {"tcpSocket": {"port": PORT}, "periodSeconds": 1, "failureThreshold": 60}
    environment = [{"name": "PORT", "value": str(PORT)}]
    return pod(f"teller-{number}", _TELL_NAME, env=environment, readinessProbe=ready)


def output(kubectl: Kubectl, name: str) -> str:
    """What that Pod printed in the end."""
    kubectl("wait", f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    return kubectl("logs", name).strip()


def test_a_pod_reaches_the_api_server_where_the_kubelet_says_and_is_known_by_its_token(
    kubectl: Kubectl,
) -> None:
    kubectl.apply(pod("asks", _WHO_AM_I))
    assert output(kubectl, "asks") == f"system:serviceaccount:{SPACE}:default"
    address = ip_address(kubectl.get("pod", "asks")["status"]["podIP"])
    assert address in ip_network(network.PODS)


def test_a_service_has_two_pods_behind_it_for_pods_and_for_the_node(kubectl: Kubectl) -> None:
    ports = [{"name": "http", "port": 80, "targetPort": PORT}]
    service = {"selector": {"app": "teller"}, "ports": ports}
    head = {"name": "teller"}
    made = {"apiVersion": "v1", "kind": "Service", "metadata": head, "spec": service}
    kubectl.apply(made, teller(1), teller(2))
    address = kubectl.get("service", "teller")["spec"]["clusterIP"]
    until(lambda: told(address) == {"teller-1", "teller-2"}, "both Pods answer in turn")
    kubectl.apply(pod("asks-twice", _ASK_TWICE, f"http://{address}"))
    assert output(kubectl, "asks-twice") == "teller-1 teller-2"
    kubectl("delete", "pod", "teller-1")
    until(lambda: told(address) == {"teller-2"}, "who has gone is asked no more")


def told(address: str) -> set[str]:
    """Who answers two questions from the node, where API server and tests are."""
    try:
        return {Http(f"http://{address}").get("/").text for _ in range(2)}
    except NoAnswer:
        return set()


def test_the_runtimes_journal_has_each_container_with_its_times(
    site: Site, kubectl: Kubectl
) -> None:
    kubectl.apply(pod("short", "import time; print(time.time())"))
    during = json.loads(output(kubectl, "short"))
    (run,) = until(
        lambda: [run for run in site.runtime.runs(SPACE) if run.pod == "short" and run.ended],
        "the runtime has told its end",
    )
    assert run.ended is not None
    assert run.created < during < run.ended
    assert run.created <= run.started < run.ended
    assert (run.container, run.code) == ("main", 0)
