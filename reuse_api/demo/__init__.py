"""The demo: its story, its people and the test authority (PKI) behind its seals; nothing for real use."""
