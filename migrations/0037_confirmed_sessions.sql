-- When a session's account last entered its password again, for acts that ask for it.
alter table accounts.sessions add column confirmed_at timestamptz;

-- Settings whose change asks for the password.
alter table core.settings add column is_sensitive boolean not null default false;
insert into core.settings (key, value, description)
values ('payments.confirm_refunds_above', '0',
        'Refunding a payment of more than this, in whole units of its currency, asks for the operator''s password. 0: every one.');
update core.settings set is_sensitive = true where key like 'wallet.%' or key like 'payments.%';
