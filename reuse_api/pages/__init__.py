"""Pages for people, rendered here and without script: the wallet, its words, templates and one stylesheet."""
