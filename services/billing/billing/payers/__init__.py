"""Whom the clinic can ask about insurance, how to know them by what people call them, and how to reach them."""
