"""Pure decisions: limits, slots, queue. No I/O, no clock, no logging."""
