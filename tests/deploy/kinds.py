"""Other projects' kinds on the real API server, for as long as a test needs them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.e2e.cluster import Cluster
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.realserver.server import RealApiServer
    from tests.tools.definitions import Definition


@contextmanager
def taught(server: RealApiServer, definitions: Iterable[Definition]) -> Iterator[Cluster]:
    """A cluster that knows these kinds.

    They belong to no namespace, and a definition goes a while after it was deleted: all are gone
    when this returns, or the next one who teaches them would be refused.
    """
    made, paths = Cluster(server), []
    try:
        for one in definitions:
            paths.append(_path(one))
            made.apply(one)
        _wait(made, paths, 200)
        yield made
    finally:
        made.close()
        _wait(made, paths, 404)


def _path(definition: Definition) -> str:
    spec = definition["spec"]
    return f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"


def _wait(cluster: Cluster, paths: list[str], status: int) -> None:
    until(
        lambda: all(cluster.api.get(path).status == status for path in paths),
        f"all of {paths} answer {status}",
    )
