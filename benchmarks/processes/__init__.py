"""What some benchmarks run in a process of its own, so that its time and memory are its own."""
