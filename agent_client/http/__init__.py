"""The agent's HTTP/1.1, both sides, on h11: `calls` asks a coordinator, `server` is asked."""
