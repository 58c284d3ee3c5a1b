"""What an insurance pays for what this clinic does, and what is left for the patient."""
