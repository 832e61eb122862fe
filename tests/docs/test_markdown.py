"""The reading of Markdown that the other tests trust."""

from __future__ import annotations

import pytest

from tests.docs import markdown

PAGE = """\
# The title
See [there](other.md#part), ![a picture](images/one.png "shown"), `[not](a-link.md)`.
[`code`](spans.md) and <img src="images/two.svg" alt="">.
## A part, and `code`
```console
$ cat [inside](a-block.md)
# no heading
```
## A part, and `code`
"""


def test_links_are_those_that_a_reader_can_follow() -> None:
    assert sorted(markdown.links(PAGE)) == [
        "images/one.png",
        "images/two.svg",
        "other.md#part",
        "spans.md",
    ]


def test_headings_are_places_and_repeated_ones_are_numbered() -> None:
    assert markdown.anchors(PAGE) == {"the-title", "a-part-and-code", "a-part-and-code-1"}


@pytest.mark.parametrize(
    ("title", "anchor"),
    [
        ("3 a.m.: a backup hangs", "3-am-a-backup-hangs"),
        ("PUT /v1/namespaces/{namespace}", "put-v1namespacesnamespace"),
        ("`slot-agent run`: a command", "slot-agent-run-a-command"),
        ("[A link](x.md) here", "a-link-here"),
    ],
)
def test_an_anchor_is_named_as_github_names_it(title: str, anchor: str) -> None:
    assert markdown.slug(title) == anchor


def test_code_spans_are_found_outside_of_blocks_only() -> None:
    assert markdown.spans(PAGE) == ["[not](a-link.md)", "code", "code", "code"]
