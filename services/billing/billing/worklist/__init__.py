"""The worklist of billing staff: what needs a person, and one coverage with its evidence, corrected in one step."""
