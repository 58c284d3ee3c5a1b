"""The outside world on one machine: payer gateway, SMS carrier, mailbox and patients.

Each part speaks the protocol of its real counterpart and none imports a service of ours.
"""
