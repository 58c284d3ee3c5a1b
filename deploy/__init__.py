"""Ways to run the house: on one machine without anything installed, in containers, on Kubernetes."""
