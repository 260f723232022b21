-- The push services of browsers that messages are sent to; no other address is requested.
insert into core.settings (key, value, description) values
  ('notifications.push_services', '"fcm.googleapis.com, push.services.mozilla.com, notify.windows.com, push.apple.com"',
   'Hosts of push services, with their subdomains, that notifications are sent through.');
