"""The API: routes, what comes in, and the values that go out."""
