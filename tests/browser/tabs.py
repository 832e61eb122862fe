"""Tabs of the headless browser, watched: whatever goes wrong in one fails its test."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.e2e.processes import LOOPBACK

if TYPE_CHECKING:
    from playwright.async_api import Browser, ConsoleMessage, Page, Request

WIDE, PHONE = 1440, 360
"""Widths of windows, in CSS pixels."""
HEIGHT = 900
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
DEADLINE_SECONDS = 60.0
"""For what is to be seen; only a fault takes that long."""
LOCAL_SCHEMES = {"data", "blob", "about"}


class Tabs(AsyncExitStack):
    """Opens tabs, and keeps what they complained of, save what holds one of the `excused` texts:
    some requests are to fail.
    """

    def __init__(self, browser: Browser) -> None:
        super().__init__()
        self.complaints: list[str] = []
        self.excused: set[str] = set()
        self._browser = browser
        self._complained = asyncio.Event()

    async def blank(
        self, width: int = WIDE, *, height: int = HEIGHT, dark: bool = False, loose: bool = False
    ) -> Page:
        """A tab in a window of its own, without storage; `loose`: any certificate will do."""
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
            ignore_https_errors=loose,
        )
        self.push_async_callback(context.close)
        context.set_default_timeout(DEADLINE_SECONDS * 1000)
        await context.add_init_script(TELL_VIOLATIONS)
        page = await context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._complain(f"uncaught: {error}"))
        context.on("request", self._asked)
        return page

    async def open(self, url: str, width: int = WIDE, *, dark: bool = False) -> Page:
        """A tab that shows this address."""
        page = await self.blank(width, dark=dark)
        await page.goto(url)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._complain(f"console {message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in LOCAL_SCHEMES and address.hostname != LOOPBACK:
            self._complain(f"asked for {request.url}")

    def _complain(self, text: str) -> None:
        if not any(part in text for part in self.excused):
            self.complaints.append(text)
            self._complained.set()

    async def expect_complaint(self, text: str) -> None:
        """Waits for one that holds the text, and takes all that were made. Raises TimeoutError."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not any(text in complaint for complaint in self.complaints):
                self._complained.clear()
                await self._complained.wait()
        self.complaints.clear()
