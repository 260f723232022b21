"""SQL of drafts."""

from __future__ import annotations

from types import NoneType
from typing import LiteralString
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.studio.model import DraftRow

OWN_FILES = Statement(
    UUID,
    "select id from media.files where account_id = %(account)s and id = any(%(ids)s::uuid[])"
    " and category in (%(category)s, 'generated_image')",
)
SAVE = Statement(
    NoneType,
    """
    insert into studio.drafts (account_id, style_name, prompt, parameters, seed, asset, product_files, model_files, batch)
    values (%(account)s, %(style_name)s, %(prompt)s, %(parameters)s, %(seed)s, %(asset)s, %(product_files)s, %(model_files)s,
            %(batch)s)
    on conflict (account_id) do update
       set style_name = excluded.style_name, prompt = excluded.prompt, parameters = excluded.parameters, seed = excluded.seed,
           asset = excluded.asset, product_files = excluded.product_files, model_files = excluded.model_files,
           batch = excluded.batch, discarded_at = null
    """,
)


def _remaining(role: LiteralString) -> LiteralString:
    return f"""array(
             select f.id from unnest(d.{role}_files) with ordinality p (id, n)
               join media.files f on f.account_id = d.account_id and f.id = p.id
              where f.category in ('{role}_image', 'generated_image')
              order by n)"""


LOAD = Statement(
    DraftRow,
    f"""
    select d.style_name, d.prompt, d.parameters, d.seed, d.asset, d.batch,
           {_remaining("product")} as product_files, {_remaining("model")} as model_files,
           cardinality(d.product_files) + cardinality(d.model_files) as file_count,
           d.discarded_at is not null as is_discarded, d.updated_at
      from studio.drafts d
     where d.account_id = %(account)s and (d.discarded_at is null or d.discarded_at > now() - interval '1 hour')
    """,
)
DELETE = Statement(NoneType, "delete from studio.drafts where account_id = %(account)s")
DISCARD = Statement(
    NoneType, "update studio.drafts set discarded_at = now() where account_id = %(account)s and discarded_at is null"
)
RESTORE = Statement(NoneType, "update studio.drafts set discarded_at = null where account_id = %(account)s")
