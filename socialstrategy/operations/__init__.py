"""Keeping an installation going: a safe start, signs of life, and what /readyz tells."""
