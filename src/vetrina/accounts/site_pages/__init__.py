"""Pages that the operator writes in Markdown: terms, privacy, refunds, imprint, contact."""
