"""The whole house on one machine that has only Python: embedded engines, five services and a sandbox."""
