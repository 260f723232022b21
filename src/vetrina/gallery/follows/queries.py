"""SQL of follows, blocks and mutes."""

from __future__ import annotations

from types import NoneType

from vetrina.core.database.connection import Statement
from vetrina.gallery.model import PersonRow, Relation

# One row for each item, in order: "approved" or "requested"; null for an account that is not there or blocks or is blocked.
FOLLOW = Statement(
    str,
    """
    with item as (
      select * from unnest(%(accounts)s::uuid[], %(followed)s::uuid[]) with ordinality as i (account_id, followed_account_id, n)),
    open as (
      select i.*, not exists (select from gallery.profiles s
                               where s.account_id = i.followed_account_id and s.is_private) as approved
        from item i join accounts.accounts a on a.id = i.followed_account_id and a.is_active and a.erased_at is null
       where not gallery.blocked(i.account_id, i.followed_account_id)),
    added as (
      insert into gallery.follows (account_id, followed_account_id, is_approved)
      select distinct account_id, followed_account_id, approved from open order by followed_account_id, account_id
      on conflict (account_id, followed_account_id) do nothing)
    select case when coalesce(f.is_approved, o.approved) then 'approved' when o.n is not null then 'requested' else '' end
      from item i
      left join open o on o.n = i.n
      left join gallery.follows f on f.account_id = i.account_id and f.followed_account_id = i.followed_account_id
     order by i.n
    """,
)
UNFOLLOW = Statement(
    NoneType, "delete from gallery.follows where account_id = %(account)s and followed_account_id = %(followed)s"
)
APPROVE = Statement(
    NoneType,
    """
    update gallery.follows set is_approved = true
     where account_id = %(follower)s and followed_account_id = %(account)s and not is_approved
    """,
)
APPROVE_ALL = Statement(
    NoneType, "update gallery.follows set is_approved = true where followed_account_id = %(account)s and not is_approved"
)
BLOCK = Statement(
    NoneType,
    """
    insert into gallery.blocks (account_id, blocked_account_id)
    select %(account)s, a.id from accounts.accounts a where a.id = %(other)s
    on conflict (account_id, blocked_account_id) do nothing
    """,
)
IS_ACCOUNT = Statement(bool, "select true from accounts.accounts where id = %(id)s and erased_at is null")
# A block ends what the two had, in both directions.
PART = Statement(
    NoneType,
    """
    delete from gallery.follows
     where (account_id = %(account)s and followed_account_id = %(other)s)
        or (account_id = %(other)s and followed_account_id = %(account)s)
    """,
)
UNBLOCK = Statement(NoneType, "delete from gallery.blocks where account_id = %(account)s and blocked_account_id = %(other)s")
MUTE = Statement(
    NoneType,
    """
    insert into gallery.mutes (account_id, muted_account_id)
    select %(account)s, a.id from accounts.accounts a where a.id = %(other)s
    on conflict (account_id, muted_account_id) do nothing
    """,
)
UNMUTE = Statement(NoneType, "delete from gallery.mutes where account_id = %(account)s and muted_account_id = %(other)s")
SET_PRIVATE = Statement(
    NoneType,
    """
    insert into gallery.profiles (account_id, is_private) values (%(account)s, %(is_private)s)
    on conflict (account_id) do update set is_private = excluded.is_private
    """,
)
IS_PRIVATE = Statement(bool, "select exists (select from gallery.profiles where account_id = %(account)s and is_private)")
RELATION = Statement(
    Relation,
    """
    select exists (select from gallery.profiles s where s.account_id = %(other)s and s.is_private) as is_private,
           coalesce(f.is_approved, false) as follows, f.account_id is not null and not f.is_approved as requested,
           exists (select from gallery.blocks b where b.account_id = %(viewer)s and b.blocked_account_id = %(other)s) as blocks,
           exists (select from gallery.mutes m where m.account_id = %(viewer)s and m.muted_account_id = %(other)s) as mutes,
           exists (select from gallery.blocks b
                    where b.account_id = %(other)s and b.blocked_account_id = %(viewer)s) as is_blocked,
           gallery.counted(%(other)s, %(other)s, 'followers') as followers,
           gallery.counted(%(other)s, %(other)s, 'following') as following
      from (values (1)) as one (row)
      left join gallery.follows f on f.account_id = %(viewer)s and f.followed_account_id = %(other)s
    """,
)
_PERSON = """
    select a.id, a.handle, f.is_approved, f.created_at,
           coalesce((select v.business_name from accounts.vendors v where v.account_id = a.id and a.kind = 'vendor'),
                    (select u.name from accounts.users u where u.account_id = a.id)) as name
      from gallery.follows f"""
FOLLOWERS = Statement(
    PersonRow,
    f"""
    {_PERSON} join accounts.accounts a on a.id = f.account_id and a.is_active
     where f.followed_account_id = %(account)s and f.is_approved and f.account_id < %(before)s
       and not gallery.blocked(a.id, %(viewer)s)
     order by f.account_id desc limit %(limit)s
    """,
)
REQUESTS = Statement(
    PersonRow,
    f"""
    {_PERSON} join accounts.accounts a on a.id = f.account_id and a.is_active
     where f.followed_account_id = %(account)s and not f.is_approved and f.account_id < %(before)s
     order by f.account_id desc limit %(limit)s
    """,
)
FOLLOWING = Statement(
    PersonRow,
    f"""
    {_PERSON} join accounts.accounts a on a.id = f.followed_account_id and a.is_active
     where f.account_id = %(account)s and f.followed_account_id < %(before)s and not gallery.blocked(a.id, %(viewer)s)
     order by f.followed_account_id desc limit %(limit)s
    """,
)
BLOCKED = Statement(
    PersonRow,
    """
    select a.id, a.handle, true as is_approved, b.created_at,
           coalesce((select v.business_name from accounts.vendors v where v.account_id = a.id and a.kind = 'vendor'),
                    (select u.name from accounts.users u where u.account_id = a.id)) as name
      from gallery.blocks b join accounts.accounts a on a.id = b.blocked_account_id
     where b.account_id = %(account)s and b.blocked_account_id < %(before)s
     order by b.blocked_account_id desc limit %(limit)s
    """,
)

IS_BLOCKED = Statement(bool, "select gallery.blocked(%(account)s, %(other)s)")
