"""Reviews: which attachments would be decided otherwise today, and the change of them.

A review changes nothing by itself. The timeline, which has the mail, sends the facts of captures;
each is decided again by the directory of today, or as it would be after a change that is not made
yet. What differs is kept for a week. When the review is applied, each is decided once more, and
changed only if the decision still is what the review said.

| module         | subject                                                              |
|----------------|----------------------------------------------------------------------|
| `facts.py`     | who takes part in a capture, by its facts                            |
| `redeciding.py` | the decision of today about who takes part                          |
| `records.py`   | reviews and their items, as they are stored                          |
| `scope.py`     | whom a review concerns                                               |
| `handling.py`  | what the timeline says: facts, that all were sent, what was changed  |
| `job.py`       | what is asked of the timeline; reviews that are ready or applied     |
"""
