"""What several tests share: the garden and its valve, entries, pushes, sentences."""
