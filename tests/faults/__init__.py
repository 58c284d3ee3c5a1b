"""Breaking the clinic on purpose, and looking whether anything was lost, doubled or put out of order."""
