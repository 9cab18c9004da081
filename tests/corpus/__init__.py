"""Files that are images, and files that are not, made from fixed seeds."""
