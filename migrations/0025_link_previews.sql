-- Images of link previews, which cost a decoding when a link is shared for the first time.
insert into core.settings (key, value, description) values
  ('limits.share_cards', '{"count": 600, "seconds": 60}', 'Images of link previews, by one address.');
