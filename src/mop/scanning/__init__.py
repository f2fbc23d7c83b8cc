"""Looking at what strangers bring before it runs: scanners, their findings and the policy."""
