"""Rewards, one file each; `search/reward.py` has the table of their names."""
