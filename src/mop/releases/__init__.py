"""What downstream services take: the conditions, the requests, what is live."""
