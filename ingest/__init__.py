"""Files as they come become typed, immutable batches, and the batches schema `raw` of a night.

Landing: files -> deliveries -> door -> admission. Within an admission: readers -> mapping ->
rules (with casts) -> repeats -> batches -> ledger. After it: raw_relations, expectations.
"""
