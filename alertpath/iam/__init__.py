"""Evaluation of IAM policies, offline."""
