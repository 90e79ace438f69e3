"""What the system tests are written with: the real programs, proxies between them, and trees of files."""
