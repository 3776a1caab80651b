"""Evidence: composing, sealing and checking documents, and the arithmetic of the verifiable log."""
