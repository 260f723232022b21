-- Prices: what pays first, and the rates by which prices in several currencies agree.

-- The asset that pays for a picture of `p_tokens` tokens unless the account says otherwise: of those that cover it, the one whose
-- credits expire first, as within an asset (`wallet.hold_many` spends grants by their expiry). Credits that never expire come last,
-- and of two that expire together the conversion. Null if neither covers it.
create function wallet.first_to_expire(p_account uuid, p_tokens bigint) returns text
language sql stable as $$
  select w.asset
    from (values ('conversion', 1::bigint), ('token', p_tokens)) price (asset, quantity)
    join wallet.wallets w on w.account_id = p_account and w.asset = price.asset and not w.frozen
   cross join lateral (
     select coalesce(sum(g.remaining), 0) as quantity, min(g.expires_at) as expires_at
       from wallet.grants g
      where g.account_id = p_account and g.asset = w.asset and g.remaining > 0 and (g.expires_at is null or g.expires_at > now())
   ) left_over
   where left_over.quantity >= price.quantity
   order by left_over.expires_at nulls last, w.asset limit 1
$$;

insert into core.settings (key, value, description)
values ('wallet.currency_rates', '{"USD": 1, "IRR": 10000}',
        'Units of each currency that cost the same, by which prices in several currencies are compared.');

-- Packs in rials cost ten times what plans in rials imply; the plans' figures are those of the specification. A price that was
-- changed, or at which something was sold, stays. The audit log of a new database begins without this.
create temporary table seeded on commit drop as
select * from (values ('tokens_50_irr', 500000::bigint), ('tokens_200_irr', 1500000), ('tokens_1000_irr', 6000000),
                      ('contacts_10_irr', 1500000), ('contacts_50_irr', 5000000), ('posting_1_irr', 500000)) v (name, price);
do $$
begin
  if exists (select from accounts.accounts) then
    update wallet.packs k set price = k.price / 10 from seeded s
     where k.name = s.name and k.price = s.price and not exists (select from payments.payments p where p.pack_id = k.id);
  else
    alter table wallet.packs disable trigger packs_audited;
    update wallet.packs k set price = k.price / 10 from seeded s where k.name = s.name and k.price = s.price;
    alter table wallet.packs enable trigger packs_audited;
  end if;
end
$$;
