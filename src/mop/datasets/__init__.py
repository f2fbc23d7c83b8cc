"""Evaluation datasets: hidden labelled files that decide over models."""
