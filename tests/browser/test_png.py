"""Pictures for the docs: fewer bytes, and hardly to be told from what the browser drew."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from tests.browser.png import smaller

if TYPE_CHECKING:
    from tests.browser.tabs import Tabs

pytestmark = pytest.mark.browser
DRAWN = """
<body style="margin: 0; font: 15px sans-serif; background: linear-gradient(#fff, #fde 80%)">
  <p>45 claims wait on <b>15</b> nodes</p>
  <i style="display: block; width: 6px; height: 6px; background: #0a0"></i>
"""
APART = """async ([one, other]) => {
  const pixels = async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    return canvas.getImageData(0, 0, image.width, image.height).data;
  };
  const [before, after] = [await pixels(one), await pixels(other)];
  if (before.length !== after.length) return Infinity;
  return before.reduce((most, value, place) => Math.max(most, Math.abs(value - after[place])), 0);
}"""


@pytest.mark.asyncio(loop_scope="session")
async def test_a_smaller_picture_looks_the_same_to_a_browser(tabs: Tabs) -> None:
    page = await tabs.blank(300, height=200)
    await page.set_content(DRAWN)
    before = await page.screenshot()
    after = smaller(before)
    assert len(after) < len(before)
    both = [b64encode(before).decode(), b64encode(after).decode()]
    assert 0 <= await page.evaluate(APART, both) < 12


def test_what_is_no_png_is_refused() -> None:
    with pytest.raises(ValueError, match="no PNG"):
        smaller(b"GIF89a")
