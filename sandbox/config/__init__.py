"""Configs: base classes, schedules, YAML files and error messages."""
