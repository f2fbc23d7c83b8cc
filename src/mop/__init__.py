"""MOP, the RAI Model Onboarding Pipeline."""
