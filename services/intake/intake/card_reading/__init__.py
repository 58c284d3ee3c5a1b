"""What a photographed card says, beside what its owner typed."""
