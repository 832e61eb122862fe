"""The dashboard that the coordinator serves at `/`: plain files in `assets`, no build step."""
