"""/v1/models: list, retrieve, delete."""

from fastapi import APIRouter

from onprem import ids
from onprem.server.context import Context, Ctx, Tenant
from onprem.server.errors import ApiError
from onprem.server.objects import model_object
from onprem.store import models as model_rows
from onprem.store.jobs import LIVE
from onprem.store.models import EVERYONE

router = APIRouter(prefix="/v1/models")


@router.get("")
def list_models(context: Ctx, tenant: Tenant) -> dict:
    """List base models and tuned ones; checkpoints are listed by their job."""
    rows = context.db.all(
        "select * from models where tenant in (?, ?) and kind in ('base', 'tuned') order by seq",
        tenant,
        EVERYONE,
    )
    return {"object": "list", "data": [model_object(row) for row in rows]}


@router.get("/{model}")
def retrieve(model: str, context: Ctx, tenant: Tenant) -> dict:
    """Return a model."""
    return model_object(find(context, tenant, model))


@router.delete("/{model}")
def delete(model: str, context: Ctx, tenant: Tenant) -> dict:
    """Delete a tuned model or checkpoint; base models are the operator's."""
    row = find(context, tenant, model)
    if row["kind"] == "base":
        text = "Base models cannot be deleted here; the operator does it with `onprem models remove`."
        raise ApiError(403, text, param="model", code="model_not_deletable")
    user = context.db.one(
        f"select id from jobs where (id = ? or model = ?) and status in {LIVE}", row["job"], model
    )
    if user:
        raise ApiError(
            409,
            f"{user['id']} still needs this model. Wait or cancel it.",
            param="model",
            code="model_in_use",
        )
    if context.db.one("select 1 from models where base = ? and name <> ?", model, model):
        text = "Other models were tuned on this one and need its weights. Delete them first."
        raise ApiError(409, text, param="model", code="model_in_use")
    model_rows.remove(context.db, model)
    return {"id": model, "object": "model", "deleted": True}


def find(context: Context, tenant: str, name: str) -> dict:
    """Return the model's row.

    Raises
    ------
    ApiError
        404 `model_not_found`, as OpenAI's.
    """
    row = model_rows.get(context.db, tenant, name)
    if row is None:
        text = f"The model `{ids.shown(name)}` does not exist or you do not have access to it."
        raise ApiError(404, text, param="model", code="model_not_found")
    return row
