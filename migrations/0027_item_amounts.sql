-- What a subscription is worth: its prices, less discounts, spread over the month. Amounts are in minor units of the
-- subscription's currency. Terms of a price, a discount and a finalized invoice never change at Stripe, so what is computed
-- from them for a past date stays the same.

-- A month's recurring revenue, the part of it that is metered, what temporary discounts take off it at present (they are not
-- deducted from it), and the amount of the next renewal.
create type reports.worth as (monthly numeric, metered numeric, temporary numeric, amount numeric);

-- Whole minor units, within the range of a bigint.
create function reports.minor(p numeric) returns bigint language sql immutable parallel safe as $$
  select round(greatest(least(coalesce(p, 0), 1e15), -1e15))::bigint
$$;

-- A price of an item; older objects have a plan.
create function reports.price_of(p_item jsonb) returns jsonb language sql immutable parallel safe as $$
  select coalesce(nullif(p_item -> 'price', 'null'), p_item -> 'plan')
$$;

create function reports.is_metered(p_price jsonb) returns boolean language sql immutable parallel safe as $$
  select coalesce(p_price #>> '{recurring,usage_type}', p_price ->> 'usage_type', 'licensed') = 'metered'
$$;

-- An amount that Stripe gives as a whole number or, with fractions of a minor unit, as a decimal in a string.
create function reports.decimal_amount(p jsonb, p_field text) returns numeric
language plpgsql immutable parallel safe as $$
begin
  return coalesce(stripe_mirror.json_bigint(p -> p_field)::numeric,
                  case when p ->> (p_field || '_decimal') ~ '^-?\d{1,20}(\.\d{1,20})?$' then (p ->> (p_field || '_decimal'))::numeric end);
end
$$;

-- How many periods of a price a month has.
create function reports.periods_per_month(p_price jsonb) returns numeric
language plpgsql immutable parallel safe as $$
declare
  v_every jsonb := coalesce(nullif(p_price -> 'recurring', 'null'), p_price);  -- a plan has it at the top
begin
  return case v_every ->> 'interval'
           when 'day' then 365 / 12.0 when 'week' then 365 / 84.0 when 'month' then 1 when 'year' then 1 / 12.0 else 0 end
         / greatest(coalesce(stripe_mirror.json_bigint(v_every -> 'interval_count'), 1), 1);
end
$$;

-- The amount of a quantity by tiers: volume charges all units at the tier that the quantity reaches, graduated each unit at its
-- own. Stripe lists tiers by their upper bound, the last without one.
create function reports.tier_amount(p_tiers jsonb, p_mode text, p_quantity numeric) returns numeric
language plpgsql immutable parallel safe as $$
declare
  v_tier jsonb;
  v_below numeric := 0;
  v_upper numeric;
  v_sum numeric := 0;
begin
  for i in 0 .. jsonb_array_length(p_tiers) - 1 loop
    v_tier := p_tiers -> i;
    v_upper := coalesce(stripe_mirror.json_bigint(v_tier -> 'up_to')::numeric, 'infinity');
    if p_mode = 'volume' and p_quantity <= v_upper then
      return p_quantity * coalesce(reports.decimal_amount(v_tier, 'unit_amount'), 0) + coalesce(reports.decimal_amount(v_tier, 'flat_amount'), 0);
    end if;
    exit when p_quantity <= v_below;
    v_sum := v_sum + (least(p_quantity, v_upper) - v_below) * coalesce(reports.decimal_amount(v_tier, 'unit_amount'), 0)
      + coalesce(reports.decimal_amount(v_tier, 'flat_amount'), 0);
    v_below := v_upper;
  end loop;
  return v_sum;
end
$$;

-- What an item costs each period by its price, before discounts. Null where only an invoice has it: metered use, tiers that
-- are not expanded, and a price whose amount in the subscription's currency is not expanded.
create function reports.list_amount(p_item jsonb, p_currency text) returns numeric
language plpgsql immutable parallel safe as $$
declare
  v_price jsonb := reports.price_of(p_item);
  v_option jsonb := v_price;
  v_quantity numeric := coalesce(stripe_mirror.json_bigint(p_item -> 'quantity'), 1);
  v_package jsonb := coalesce(nullif(v_price -> 'transform_quantity', 'null'), nullif(v_price -> 'transform_usage', 'null'));
  v_size bigint := stripe_mirror.json_bigint(v_package -> 'divide_by');
begin
  if reports.is_metered(v_price) then
    return null;
  end if;
  if v_price ->> 'currency' <> p_currency then
    v_option := v_price #> array['currency_options', p_currency];
  end if;
  if v_price ->> 'billing_scheme' = 'tiered' or jsonb_typeof(v_option) is distinct from 'object' then
    return case when jsonb_typeof(v_option -> 'tiers') = 'array'
                then reports.tier_amount(v_option -> 'tiers', v_price ->> 'tiers_mode', v_quantity) end;
  end if;
  if v_size > 0 then
    v_quantity := case v_package ->> 'round' when 'down' then floor(v_quantity / v_size) else ceil(v_quantity / v_size) end;
  end if;
  return v_quantity * coalesce(reports.decimal_amount(v_option, 'unit_amount'), stripe_mirror.json_bigint(v_option -> 'amount'), 0);
end
$$;

-- Whether an item's amount is known only from an invoice.
create function reports.priced_by_invoice(p_data jsonb) returns boolean
language plpgsql immutable parallel safe as $$
declare
  v_items jsonb := stripe_mirror.json_array(p_data #> '{items,data}');
begin
  for i in 0 .. jsonb_array_length(v_items) - 1 loop
    if reports.list_amount(v_items -> i, stripe_mirror.json_text(p_data -> 'currency')) is null then
      return true;
    end if;
  end loop;
  return false;
end
$$;

-- What each item of a subscription cost on the last invoice that has it, by the item's id: lines before discounts and tax,
-- without prorations. An invoice counts from when it is finalized until it is voided.
create function reports.billed(p_subscription text, p_at timestamptz) returns jsonb
language sql stable parallel safe as $$
  with lines as (
    select i.id, i.data #> '{status_transitions,finalized_at}' as finalized, line,
           coalesce(line #>> '{parent,subscription_item_details,subscription_item}', line ->> 'subscription_item') as item
      from stripe_mirror.invoices i, lateral jsonb_array_elements(stripe_mirror.json_array(i.data #> '{lines,data}')) line
     where i.subscription_id = p_subscription
       and stripe_mirror.json_timestamp(i.data #> '{status_transitions,finalized_at}') <= p_at
       and coalesce(stripe_mirror.json_timestamp(i.data #> '{status_transitions,voided_at}') > p_at, true)
       and not coalesce(stripe_mirror.json_boolean(coalesce(line #> '{parent,subscription_item_details,proration}', line -> 'proration')), false)
  ), latest as (
    select distinct on (item) item, sum(stripe_mirror.json_bigint(line -> 'amount')) as amount
      from lines where item is not null group by item, id, finalized order by item, finalized::numeric desc, id desc
  )
  select coalesce(jsonb_object_agg(item, amount), '{}') from latest
$$;
