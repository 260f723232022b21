-- Discounts of a subscription, and its worth with them.

-- The discount of this id, from an event or a list; an expanded one is returned as it is.
create function reports.find_discount(p jsonb) returns jsonb language sql stable parallel safe as $$
  select case when jsonb_typeof(p) = 'object' then p else coalesce(
    (select d.data from stripe_mirror.discounts d where d.id = p #>> '{}'),
    (select e.payload #> '{data,object}' from stripe_mirror.events e
      where e.kind is null and e.object_id = p #>> '{}' and e.type like 'customer.discount.%'
      order by e.at desc, e.rank desc, e.id collate "C" desc limit 1)) end
$$;

-- The coupon of this id. A coupon that was deleted at Stripe goes on for those who have it.
create function reports.find_coupon(p jsonb) returns jsonb language sql stable parallel safe as $$
  select case when jsonb_typeof(p) = 'object' then p else coalesce(
    (select c.data from stripe_mirror.coupons c where c.id = p #>> '{}' and c.duration is not null),
    (select e.payload #> '{data,object}' from stripe_mirror.events e
      where e.kind = 'coupons' and e.object_id = p #>> '{}' and e.payload #>> '{data,object,duration}' is not null
      order by e.at desc, e.rank desc, e.id collate "C" desc limit 1)) end
$$;

-- The discounts of a subscription or an item in their order. Before they were a list there was one, expanded.
create function reports.discounts_of(p_holder jsonb) returns jsonb
language plpgsql immutable parallel safe as $$
declare
  v_list jsonb := stripe_mirror.json_array(p_holder -> 'discounts');
begin
  if jsonb_typeof(p_holder -> 'discount') = 'object' then
    if jsonb_array_length(v_list) = 0 then
      return jsonb_build_array(p_holder -> 'discount');
    elsif v_list ->> 0 = p_holder #>> '{discount,id}' then
      return jsonb_set(v_list, '{0}', p_holder -> 'discount');
    end if;
  end if;
  return v_list;
end
$$;

create function reports.has_discounts(p_data jsonb) returns boolean
language plpgsql immutable parallel safe as $$
declare
  v_items jsonb := stripe_mirror.json_array(p_data #> '{items,data}');
begin
  for i in 0 .. jsonb_array_length(v_items) - 1 loop
    if jsonb_array_length(reports.discounts_of(v_items -> i)) > 0 then
      return true;
    end if;
  end loop;
  return jsonb_array_length(reports.discounts_of(p_data)) > 0;
end
$$;

-- The terms of the discounts that a subscription or an item has at a moment, in their order, as far as they are of these
-- durations: [{percent, amount, ends, products}]. A discount of unknown terms is left out, as is an amount in another currency.
create function reports.active_terms(p_holder jsonb, p_currency text, p_at timestamptz, p_durations text[]) returns jsonb
language plpgsql stable parallel safe as $$
declare
  v_list jsonb := reports.discounts_of(p_holder);
  v_discount jsonb;
  v_coupon jsonb;
  v_amount numeric;
  v_terms jsonb := '[]';
begin
  for i in 0 .. jsonb_array_length(v_list) - 1 loop
    v_discount := reports.find_discount(v_list -> i);
    v_coupon := reports.find_coupon(coalesce(nullif(v_discount #> '{source,coupon}', 'null'), v_discount -> 'coupon'));
    continue when not coalesce(v_coupon ->> 'duration' = any (p_durations), false)
               or coalesce(stripe_mirror.json_timestamp(v_discount -> 'end') <= p_at, false);
    v_amount := case when v_coupon ->> 'currency' = p_currency then stripe_mirror.json_bigint(v_coupon -> 'amount_off')
                     else stripe_mirror.json_bigint(v_coupon #> array['currency_options', p_currency, 'amount_off']) end;
    v_terms := v_terms || jsonb_build_object(
      'percent', case when jsonb_typeof(v_coupon -> 'percent_off') = 'number' then v_coupon -> 'percent_off' end, 'amount', v_amount,
      'ends', v_discount -> 'end', 'products', case when jsonb_typeof(v_coupon #> '{applies_to,products}') = 'array'
                                                    then v_coupon #> '{applies_to,products}' end);
  end loop;
  return v_terms;
end
$$;

-- The items' amounts after the discounts of these durations. An item's own come first, then the subscription's, each on
-- what the one before left; an amount is shared among the items in proportion and takes off no more than there is.
create function reports.discounted(p_amounts numeric[], p_data jsonb, p_at timestamptz, p_durations text[]) returns numeric[]
language plpgsql stable parallel safe as $$
declare
  v_items jsonb := stripe_mirror.json_array(p_data #> '{items,data}');
  v_currency text := stripe_mirror.json_text(p_data -> 'currency');
  v_terms jsonb;
  v_fits boolean[];
  v_total numeric;
  v_left numeric;
begin
  for n in 1 .. jsonb_array_length(v_items) + 1 loop  -- the items, then the subscription
    for v_terms in select jsonb_array_elements(reports.active_terms(
        case when n > jsonb_array_length(v_items) then p_data else v_items -> (n - 1) end, v_currency, p_at, p_durations)) loop
      v_total := 0;
      for i in 1 .. jsonb_array_length(v_items) loop
        v_fits[i] := n in (i, jsonb_array_length(v_items) + 1) and (v_terms ->> 'products' is null
          or v_terms -> 'products' ? coalesce(stripe_mirror.json_id(reports.price_of(v_items -> (i - 1)) -> 'product'), ''));
        v_total := v_total + case when v_fits[i] then p_amounts[i] else 0 end;
      end loop;
      continue when v_total <= 0;
      v_left := greatest(0, case when v_terms ->> 'percent' is not null then v_total * (1 - (v_terms ->> 'percent')::numeric / 100)
                                 else v_total - coalesce((v_terms ->> 'amount')::numeric, 0) end);
      for i in 1 .. jsonb_array_length(v_items) loop
        p_amounts[i] := p_amounts[i] * case when v_fits[i] then v_left / v_total else 1 end;
      end loop;
    end loop;
  end loop;
  return p_amounts;
end
$$;

-- What a subscription is worth at a moment; `p_billed` is what its items cost on their last invoice (reports.billed).
-- Discounts that last for ever are deducted; those that end (once, repeating) count as temporary.
create function reports.worth(p_data jsonb, p_billed jsonb, p_at timestamptz) returns reports.worth
language plpgsql stable parallel safe as $$
declare
  v_items jsonb := stripe_mirror.json_array(p_data #> '{items,data}');
  v_currency text := stripe_mirror.json_text(p_data -> 'currency');
  v_ends timestamptz := stripe_mirror.period(p_data, 'current_period_end');
  v_list numeric[] := '{}';
  v_kept numeric[];
  v_now numeric[];
  v_next numeric[];
  v_price jsonb;
  v_factor numeric;
  v_worth reports.worth := row (0, 0, 0, 0);
begin
  for i in 0 .. jsonb_array_length(v_items) - 1 loop
    v_list := v_list || coalesce(reports.list_amount(v_items -> i, v_currency),
                                 (p_billed ->> coalesce(v_items -> i ->> 'id', ''))::numeric, 0);
  end loop;
  v_kept := v_list; v_now := v_list; v_next := v_list;
  if reports.has_discounts(p_data) then
    v_kept := reports.discounted(v_list, p_data, p_at, array['forever']);
    v_now := reports.discounted(v_list, p_data, p_at, array['forever', 'repeating', 'once']);
    v_next := reports.discounted(v_list, p_data, greatest(v_ends, p_at), array['forever', 'repeating', 'once']);
  end if;
  for i in 1 .. coalesce(array_length(v_list, 1), 0) loop
    v_price := reports.price_of(v_items -> (i - 1));
    v_factor := reports.periods_per_month(v_price);
    v_worth.monthly := v_worth.monthly + v_kept[i] * v_factor;
    v_worth.temporary := v_worth.temporary + (v_kept[i] - v_now[i]) * v_factor;
    if reports.is_metered(v_price) then
      v_worth.metered := v_worth.metered + v_kept[i] * v_factor;
    end if;
    -- The next renewal is of the one item, or of those whose period ends first.
    if array_length(v_list, 1) = 1 or coalesce(stripe_mirror.json_timestamp(v_items -> (i - 1) -> 'current_period_end'), '-infinity')
                                      <= coalesce(v_ends, 'infinity') then
      v_worth.amount := v_worth.amount + v_next[i];
    end if;
  end loop;
  return v_worth;
end
$$;
