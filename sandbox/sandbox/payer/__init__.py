"""The payer gateway: X12 270 in, 271 out, over the CAQH CORE real-time envelope."""
