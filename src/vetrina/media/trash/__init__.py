"""The trash: deleted files, which can be restored until a job deletes them for good."""
