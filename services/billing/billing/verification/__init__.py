"""From a reported coverage to what the payer says about it: asked, waited for, judged, and never guessed."""
