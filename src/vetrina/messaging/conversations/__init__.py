"""Conversations: start, list, mute, hide, leave; their pages."""
