"""What a configuration file may hold: its layout, and the JSON Schema that editors read."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from onnxpad.config.values import FailOn, Target

DRAFT = "https://json-schema.org/draft/2020-12/schema"
# what pydantic writes of every key, and no reader needs
_NOISE = ("title", "default")

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Codes = Annotated[
    list[str] | None, Field(description="Codes or their beginnings, such as PAD101, PAD1, ALL.")
]
_Ignores = dict[str, list[str]]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ModelAuditTable(_Closed):
    """How models are audited: [models.audit] of a [[models]] entry."""

    select: _Codes = None
    ignore: _Codes = None
    extend_select: _Codes = None
    target: Annotated[
        list[Target] | None,
        Field(description="Runtimes to judge models for."),
    ] = None
    per_node_ignores: Annotated[
        _Ignores | None, Field(description="Glob of node names → codes that do not hold there.")
    ] = None


class AuditTable(ModelAuditTable):
    """How models are audited, and which: [audit]."""

    paths: Annotated[
        list[str] | None,
        Field(description="Files and folders that `audit` looks at when none are named."),
    ] = None
    exclude: Annotated[
        list[str] | None, Field(description="Globs of files and folders that are passed over.")
    ] = None
    per_file_ignores: Annotated[
        _Ignores | None, Field(description="Glob of model files → codes that do not hold there.")
    ] = None
    fail_on: Annotated[
        FailOn | None,
        Field(description="The lowest severity that makes `audit` exit 1."),
    ] = None
    baseline: Annotated[
        str | None, Field(description="A file of accepted findings: only new ones count.")
    ] = None
    jobs: Annotated[int | None, Field(ge=1, description="Worker processes.")] = None


class Levels(_Closed):
    """Limits on one quantity of a budget."""

    fail: Annotated[str | None, Field(description="Missing it fails: >=0.98")] = None
    warn: Annotated[str | None, Field(description="Missing it is a warning: >=0.99")] = None


class Table(_Closed):
    """Settings; those with a syntax of their own are texts, read afterwards."""

    data: Annotated[
        str | None,
        Field(description="A folder of images, a .npy or .npz file, or module:function."),
    ] = None
    labels: Annotated[
        str | None, Field(description="folders, csv=FILE, coco=FILE, yolo=DIR, masks=DIR, ...")
    ] = None
    preprocess: Annotated[
        str | None, Field(description="A preset such as imagenet, or words with commas between.")
    ] = None
    task: Annotated[
        str | None, Field(description="classification, detection, segmentation, image, tensor.")
    ] = None
    size: Annotated[str | None, Field(description="Height x width of inputs: 512x896.")] = None
    output: Annotated[str | None, Field(description="The output that is judged.")] = None
    decoder: Annotated[
        str | None, Field(description="Of detections: a known one, or module:function.")
    ] = None
    class_offset: Annotated[
        int | None, Field(description="Added to a label to get its place among the scores.")
    ] = None
    classes: Annotated[int | None, Field(ge=1, description="How many classes there are.")] = None
    peak: Annotated[_Positive | None, Field(description="The largest value of an image.")] = None
    score: Annotated[
        float | None, Field(ge=0, le=1, description="Detections below it do not count.")
    ] = None
    budget: Annotated[
        str | dict[str, str | Levels] | None,
        Field(description="Limits: agreement>=0.98,warn:latency<=1.1; or a table by quantity."),
    ] = None
    samples: Annotated[int | None, Field(ge=1, description="How many samples.")] = None
    seed: Annotated[int | None, Field(ge=0, description="For scenes and order.")] = None
    provider: Annotated[str | None, Field(description="auto, cpu or cuda.")] = None
    threads: Annotated[int | None, Field(ge=1, description="Threads of one run.")] = None
    strict: Annotated[
        bool | None,
        Field(description="No sample is left out; refusals and inconclusive limits exit 1."),
    ] = None


class ModelsTable(Table):
    """Settings of the models that match; later entries win, key by key."""

    match: Annotated[
        str | list[str],
        Field(description="Globs; without a slash the file's name is matched."),
    ]
    audit: ModelAuditTable | None = None


class File(Table):
    """onnxpad.toml, or [tool.onnxpad] of a pyproject.toml."""

    audit: AuditTable | None = None
    models: Annotated[list[ModelsTable], Field(description="For some of the models.")] = []


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a configuration file."""
    found: dict[str, Any] = _as_toml(File.model_json_schema())
    return {"$schema": DRAFT, "title": "onnxpad configuration", **found}


def _as_toml(schema: Any) -> Any:
    """Without null, which TOML does not have, and without titles that repeat the keys."""
    if isinstance(schema, list):
        return [_as_toml(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _as_toml(value) for key, value in schema.items() if key not in _NOISE}
    options = [one for one in kept.pop("anyOf", ()) if one != {"type": "null"}]
    return kept | (options[0] if len(options) == 1 else {"anyOf": options} if options else {})
