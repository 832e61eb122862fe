"""asyncio: runs the core's commands and feeds their outcomes back."""
