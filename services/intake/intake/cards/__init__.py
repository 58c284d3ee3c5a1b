"""Reading an insurance card from its photographs.

``model`` holds the values; ``vocabulary``, ``values``, ``labels``, ``pairing``, ``payers``, ``confidence`` and
``extract`` turn boxes of text into fields and touch nothing else; ``picture`` and ``recognition`` turn a file's
bytes into boxes of text; ``serve`` is the process that does so, and ``reader`` what starts it on demand.
Nothing that is read from a card is ever logged.
"""
