-- Prices in rials, and who never came back.

-- A price in another currency is a pack of its own: the pack that is chosen says currency and price, nothing converts.
insert into wallet.packs (name, title, asset, quantity, price, currency, position) values
  ('tokens_50_irr', 'Sketchbook', 'token', 50, 500000, 'IRR', 11),
  ('tokens_200_irr', 'Studio', 'token', 200, 1500000, 'IRR', 12),
  ('tokens_1000_irr', 'Atelier', 'token', 1000, 6000000, 'IRR', 13),
  ('contacts_1', 'One contact', 'contact', 1, 199, 'USD', 21),
  ('contacts_10', 'Address book', 'contact', 10, 1499, 'USD', 22),
  ('contacts_50', 'Agency', 'contact', 50, 4999, 'USD', 23),
  ('posting_1', 'A posting', 'posting', 1, 500, 'USD', 31);

-- When the gateway was last asked without anybody waiting.
alter table payments.payments add column asked_at timestamptz;
