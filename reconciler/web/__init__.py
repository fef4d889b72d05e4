"""The status endpoint and the control room."""
