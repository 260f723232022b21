"""Mail, SMS and the development outbox."""
