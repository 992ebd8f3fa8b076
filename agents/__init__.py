"""Agents. One file is one agent."""
