"""A sample catalogue of true astronomy."""
