"""Budgets, noise and accounts of differential privacy."""
