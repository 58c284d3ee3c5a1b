"""An SMS carrier that speaks the Twilio-compatible API."""
