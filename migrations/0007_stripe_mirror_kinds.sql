-- What is mirrored. A further kind is a call like these, in a later file, and a line in stripe_mirror/kinds.py.

select stripe_mirror.mirror('customers', 'customer', 'customer.deleted', $$
  user_id uuid not null generated always as (md5('stripe customer ' || id)::uuid) stored,
  email text generated always as (stripe_mirror.word(data -> 'email')) stored,
  name text generated always as (stripe_mirror.word(data -> 'name')) stored,
  phone text generated always as (stripe_mirror.word(data -> 'phone')) stored,
  address jsonb generated always as (nullif(data -> 'address', 'null')) stored,
  currency text generated always as (stripe_mirror.word(data -> 'currency')) stored,
  balance bigint generated always as (stripe_mirror.whole(data -> 'balance')) stored,
  delinquent boolean generated always as (stripe_mirror.flag(data -> 'delinquent')) stored $$, array['email', 'user_id']);

-- Suggestions for links compare addresses whatever their case.
-- squawk-ignore require-concurrent-index-creation
create index customers_by_folded_email on stripe_mirror.customers (lower(email));

select stripe_mirror.mirror('subscriptions', 'subscription', null, $$
  customer_id text generated always as (stripe_mirror.ref(data -> 'customer')) stored,
  product_id text generated always as (stripe_mirror.ref(coalesce(data #> '{items,data,0,price,product}',
    data #> '{items,data,0,plan,product}', data #> '{plan,product}'))) stored,
  price_id text generated always as (stripe_mirror.ref(coalesce(data #> '{items,data,0,price}', data -> 'plan'))) stored,
  status text generated always as (stripe_mirror.word(data -> 'status')) stored,
  currency text generated always as (stripe_mirror.word(data -> 'currency')) stored,
  monthly_amount numeric generated always as (stripe_mirror.monthly(data)) stored,
  current_period_start timestamptz generated always as (stripe_mirror.period(data, 'current_period_start')) stored,
  current_period_end timestamptz generated always as (stripe_mirror.period(data, 'current_period_end')) stored,
  cancel_at_period_end boolean generated always as (stripe_mirror.flag(data -> 'cancel_at_period_end')) stored,
  cancel_at timestamptz generated always as (stripe_mirror.moment(data -> 'cancel_at')) stored,
  canceled_at timestamptz generated always as (stripe_mirror.moment(data -> 'canceled_at')) stored,
  started_at timestamptz generated always as (stripe_mirror.moment(data -> 'start_date')) stored,
  ended_at timestamptz generated always as (stripe_mirror.moment(data -> 'ended_at')) stored,
  trial_end timestamptz generated always as (stripe_mirror.moment(data -> 'trial_end')) stored,
  latest_invoice_id text generated always as (stripe_mirror.ref(data -> 'latest_invoice')) stored $$, array['customer_id', 'status']);

select stripe_mirror.mirror('invoices', 'invoice', 'invoice.deleted', $$
  customer_id text generated always as (stripe_mirror.ref(data -> 'customer')) stored,
  subscription_id text generated always as (stripe_mirror.ref(coalesce(nullif(data -> 'subscription', 'null'),
    data #> '{parent,subscription_details,subscription}'))) stored,
  number text generated always as (stripe_mirror.word(data -> 'number')) stored,
  status text generated always as (stripe_mirror.word(data -> 'status')) stored,
  currency text generated always as (stripe_mirror.word(data -> 'currency')) stored,
  total bigint generated always as (stripe_mirror.whole(data -> 'total')) stored,
  amount_due bigint generated always as (stripe_mirror.whole(data -> 'amount_due')) stored,
  amount_paid bigint generated always as (stripe_mirror.whole(data -> 'amount_paid')) stored,
  amount_remaining bigint generated always as (stripe_mirror.whole(data -> 'amount_remaining')) stored,
  attempt_count bigint generated always as (stripe_mirror.whole(data -> 'attempt_count')) stored,
  billing_reason text generated always as (stripe_mirror.word(data -> 'billing_reason')) stored,
  due_date timestamptz generated always as (stripe_mirror.moment(data -> 'due_date')) stored,
  paid_at timestamptz generated always as (stripe_mirror.moment(data #> '{status_transitions,paid_at}')) stored,
  hosted_invoice_url text generated always as (stripe_mirror.word(data -> 'hosted_invoice_url')) stored $$, array['customer_id', 'subscription_id']);

select stripe_mirror.mirror('products', 'product', 'product.deleted', $$
  name text generated always as (stripe_mirror.word(data -> 'name')) stored,
  description text generated always as (stripe_mirror.word(data -> 'description')) stored,
  active boolean generated always as (stripe_mirror.flag(data -> 'active')) stored $$);

select stripe_mirror.mirror('prices', 'price', 'price.deleted', $$
  product_id text generated always as (stripe_mirror.ref(data -> 'product')) stored,
  nickname text generated always as (stripe_mirror.word(data -> 'nickname')) stored,
  active boolean generated always as (stripe_mirror.flag(data -> 'active')) stored,
  currency text generated always as (stripe_mirror.word(data -> 'currency')) stored,
  unit_amount bigint generated always as (stripe_mirror.whole(data -> 'unit_amount')) stored,
  interval text generated always as (stripe_mirror.word(data #> '{recurring,interval}')) stored,
  interval_count bigint generated always as (stripe_mirror.whole(data #> '{recurring,interval_count}')) stored $$);

select stripe_mirror.mirror('payment_intents', 'payment_intent', null, $$
  customer_id text generated always as (stripe_mirror.ref(data -> 'customer')) stored,
  status text generated always as (stripe_mirror.word(data -> 'status')) stored,
  currency text generated always as (stripe_mirror.word(data -> 'currency')) stored,
  amount bigint generated always as (stripe_mirror.whole(data -> 'amount')) stored,
  amount_received bigint generated always as (stripe_mirror.whole(data -> 'amount_received')) stored $$);

select stripe_mirror.mirror('charges', 'charge', null, $$
  customer_id text generated always as (stripe_mirror.ref(data -> 'customer')) stored,
  payment_intent_id text generated always as (stripe_mirror.ref(data -> 'payment_intent')) stored,
  invoice_id text generated always as (stripe_mirror.ref(data -> 'invoice')) stored,
  status text generated always as (stripe_mirror.word(data -> 'status')) stored,
  currency text generated always as (stripe_mirror.word(data -> 'currency')) stored,
  amount bigint generated always as (stripe_mirror.whole(data -> 'amount')) stored,
  amount_refunded bigint generated always as (stripe_mirror.whole(data -> 'amount_refunded')) stored,
  failure_code text generated always as (stripe_mirror.word(data -> 'failure_code')) stored $$);

select stripe_mirror.mirror('refunds', 'refund', null, $$
  charge_id text generated always as (stripe_mirror.ref(data -> 'charge')) stored,
  payment_intent_id text generated always as (stripe_mirror.ref(data -> 'payment_intent')) stored,
  status text generated always as (stripe_mirror.word(data -> 'status')) stored,
  currency text generated always as (stripe_mirror.word(data -> 'currency')) stored,
  amount bigint generated always as (stripe_mirror.whole(data -> 'amount')) stored $$);

select stripe_mirror.mirror('disputes', 'dispute', null, $$
  charge_id text generated always as (stripe_mirror.ref(data -> 'charge')) stored,
  payment_intent_id text generated always as (stripe_mirror.ref(data -> 'payment_intent')) stored,
  status text generated always as (stripe_mirror.word(data -> 'status')) stored,
  reason text generated always as (stripe_mirror.word(data -> 'reason')) stored,
  currency text generated always as (stripe_mirror.word(data -> 'currency')) stored,
  amount bigint generated always as (stripe_mirror.whole(data -> 'amount')) stored $$);
