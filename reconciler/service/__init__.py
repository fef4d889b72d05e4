"""The running service: its queue, its runs, and what a face may ask. No schedule, HTTP or signals."""
