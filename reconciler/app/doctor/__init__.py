"""What ``doctor`` looks at, for the command line and for the daemon's page."""
