def mark_footers(lines): return []
