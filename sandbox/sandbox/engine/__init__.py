"""An engine outside of the clinic that asks payers in its place, well or badly."""
