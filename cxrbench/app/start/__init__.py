"""The Start page: what the workbench is, shown on one film, and the ways into it."""
