"""What scans found of a revision, what the policy and its waivers make of it, and who is told."""
