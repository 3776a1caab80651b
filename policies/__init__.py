"""Deciding, pure: identifiers, policy data, decisions and plans. Standard library only."""
