"""What is live for a downstream service as one server that speaks the wire contract of Azure AI Content Safety."""
