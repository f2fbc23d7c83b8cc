"""What people are told about an evaluation, from the counts that are kept of it. Pure: no database, no requests.

`shown` holds the counts that may be told, and everything else is computed from it: the document of pages, API and
downloads, also after labels were merged, and the comparison of two revisions.
"""
