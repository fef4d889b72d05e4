"""The pages of many installations: a list, and each one's own pages while somebody is there."""
