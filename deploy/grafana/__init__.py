"""Grafana dashboards as code. `python -m deploy.grafana` writes them beside this file, for Grafana to import."""
