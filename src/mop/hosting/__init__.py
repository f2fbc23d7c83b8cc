"""Running the artifact of a revision, or of a local folder, as a service on this host. docs/hosting.md."""
