"""The language the services share: events, ids, money and codes. Depends on pydantic alone."""
