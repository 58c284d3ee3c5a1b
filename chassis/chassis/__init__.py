"""What every service stands on. Knows the contracts and no clinic."""
