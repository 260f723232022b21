-- Plans, month by month: what a period gives, how one follows another, what a new account starts with.

-- A plan's price in other currencies than its own. Nothing converts.
create table wallet.plan_prices (
  plan_id uuid not null,
  currency text not null,
  price bigint not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (plan_id, currency),
  constraint plan_price_is_of_a_plan foreign key (plan_id) references wallet.plans (id),
  constraint plan_price_positive check (price > 0),
  constraint plan_price_currency_is_iso check (currency ~ '^[A-Z]{3}$')
);
create trigger plan_prices_touch before update on wallet.plan_prices for each row execute function core.touch();

insert into wallet.plan_prices (plan_id, currency, price)
select p.id, 'USD', v.price
  from (values ('basic', 499), ('advanced', 1499), ('vendor_pro', 999)) v (name, price)
  join wallet.plans p on p.name = v.name;

insert into wallet.packs (name, title, asset, quantity, price, currency, position) values
  ('contacts_10_irr', 'Address book', 'contact', 10, 1500000, 'IRR', 24),
  ('contacts_50_irr', 'Agency', 'contact', 50, 5000000, 'IRR', 25),
  ('posting_1_irr', 'A posting', 'posting', 1, 500000, 'IRR', 32);

insert into core.settings (key, value, description)
values ('wallet.grace_days', '7', 'Days in which a plan that was not paid on time can still be paid before it ends.');

-- A month of a plan, free or paid for: `amount` came in, `worth` is that and what was credited of a period before.
-- The key names what it came from, so that nothing begins it twice. A paid one may wait for its start.
create table wallet.periods (
  account_id uuid not null,
  id uuid not null default core.new_id(),
  key text not null,
  plan_id uuid not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  begun_at timestamptz,
  amount bigint not null default 0,
  worth bigint not null default 0,
  currency text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint period_belongs_to_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint period_is_of_a_plan foreign key (plan_id) references wallet.plans (id),
  constraint period_made_once unique (account_id, key),
  constraint period_in_order check (ends_at > starts_at),
  constraint period_worth_what_was_paid check (amount >= 0 and worth >= amount and (worth = 0 or currency is not null))
);
create index periods_by_plan on wallet.periods (plan_id);
create index periods_waiting on wallet.periods (account_id, starts_at) where begun_at is null;
create trigger periods_touch before update on wallet.periods for each row execute function core.touch();

-- Which plan an account is on, and the period that it stands in.
create table wallet.memberships (
  account_id uuid primary key,
  plan_id uuid not null,
  period_id uuid,
  period_start timestamptz not null default now(),
  period_end timestamptz not null,
  -- Periods end on the day of the month on which the first one began, or on the month's last day.
  anchored_at timestamptz not null default now(),
  -- What becomes of it at the period's end: the free plan, or a smaller one.
  cancel_at_period_end boolean not null default false,
  next_plan_id uuid,
  -- The period is over and the next one not paid yet: until then what was left of it can be used.
  grace_until timestamptz,
  -- A gateway that renews it by itself, and its name for it.
  gateway text,
  subscription_ref text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint membership_belongs_to_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint membership_is_to_a_plan foreign key (plan_id) references wallet.plans (id),
  constraint membership_goes_on_with_a_plan foreign key (next_plan_id) references wallet.plans (id),
  constraint membership_stands_in_a_period foreign key (account_id, period_id) references wallet.periods (account_id, id),
  constraint membership_period_in_order check (period_end > period_start),
  constraint membership_grace_after_the_period check (grace_until > period_end),
  constraint membership_ends_one_way check (not (cancel_at_period_end and next_plan_id is not null)),
  constraint membership_renewed_by_a_gateway check ((gateway is null) = (subscription_ref is null))
);
create index memberships_by_plan on wallet.memberships (plan_id);
create index memberships_by_next_plan on wallet.memberships (next_plan_id) where next_plan_id is not null;
create index memberships_by_period on wallet.memberships (account_id, period_id);
create index memberships_due on wallet.memberships ((coalesce(grace_until, period_end)));
create trigger memberships_touch before update on wallet.memberships for each row execute function core.touch();

-- A payment for a plan: how much of its price a period before was still worth, fixed at its checkout like the price.
alter table payments.payments add column credit bigint not null default 0, add column credit_period uuid;
