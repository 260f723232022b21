"""The ComfyUI engine against a loopback server with the real routes, queue and websocket."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
import pyvips

from tests.clients.comfyui.helpers import cut_out, generate, make_engine, make_request, sent
from tests.clients.helpers import RecordedProgress, photograph, wait_until
from tests.fakes.comfyui import ComfyUIFake
from vetrina.clients.engines.base import EngineRefused
from vetrina.clients.engines.comfyui.engine import STYLES, WORKFLOWS, ComfyUI

pytestmark = pytest.mark.asyncio

OWN = Path(ComfyUI.__init__.__code__.co_filename).with_name("workflows")


# Happy paths


async def test_prompt_without_photographs_gives_a_picture(comfyui_fake: ComfyUIFake):
    request = make_request("a red cup", seed=2**64 + 11, shape="landscape", steps=12, guidance=4)
    result, steps = await generate(make_engine(comfyui_fake), request)
    (submitted,) = comfyui_fake.prompts
    (sampler,) = sent(comfyui_fake, "KSampler")
    assert (sampler["seed"], sampler["steps"], sampler["cfg"], sampler["denoise"]) == (11, 12, 4.0, 1.0)
    show, avoid = sent(comfyui_fake, "CLIPTextEncode")
    assert show["text"].startswith("a red cup, ") and "watermark" in avoid["text"]
    assert sent(comfyui_fake, "EmptyLatentImage") == [{"width": 624, "height": 416, "batch_size": 1}]
    assert sent(comfyui_fake, "CheckpointLoaderSimple") == [{"ckpt_name": "sd_xl_base_1.0.safetensors"}]
    assert len(submitted["client_id"]) == 32
    assert "{{" not in json.dumps(submitted)
    picture = pyvips.Image.new_from_buffer(result.images[0], "")
    assert (picture.width, picture.height, result.mime) == (624, 416, "image/png")
    assert result.notes["seed"] == 11 and result.notes["workflow"] == "text_to_image"
    assert "Painting, step 12 of 12" in steps.words
    fractions = [fraction for fraction, _ in steps.steps]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0


async def test_photograph_is_uploaded_once_and_unchanged(comfyui_fake: ComfyUIFake):
    data = photograph(1600, 1000)
    request = make_request(style="comfyui_reimagine", models=[data], strength=0.5)
    await generate(make_engine(comfyui_fake), request)
    await generate(make_engine(comfyui_fake), request)
    ((name, uploaded),) = comfyui_fake.uploads.items()  # named by its content
    assert uploaded == data
    assert comfyui_fake.forms[0]["type"] == "input" and comfyui_fake.forms[0]["overwrite"] == "true"
    assert comfyui_fake.forms[0]["mime"] == "image/jpeg"
    assert sent(comfyui_fake, "LoadImage") == [{"image": name}]
    (scale,) = sent(comfyui_fake, "ImageScale")
    assert (scale["width"], scale["height"]) == (648, 408)
    assert sent(comfyui_fake, "KSampler")[0]["denoise"] == 0.5


async def test_product_has_requested_position_on_the_model(comfyui_fake: ComfyUIFake):
    request = make_request(
        "",
        "comfyui_product_on_model",
        [cut_out(200, 200)],
        [photograph(800, 800)],
        size=0.5,
        across=0.25,
        down=0.75,
        strength=0.2,
    )
    result, _ = await generate(make_engine(comfyui_fake), request)
    (place,) = sent(comfyui_fake, "ImageCompositeMasked")
    assert (place["x"], place["y"]) == (0, 256)
    assert sent(comfyui_fake, "ImageScale")[1]["width"] == 256
    picture = pyvips.Image.new_from_buffer(result.images[0], "")
    red, green, _ = picture.getpoint(128, 384)  # within the disc
    assert red > green + 100
    red, green, _ = picture.getpoint(6, 262)  # within its square, but see-through
    assert red < green + 60


async def test_every_style_works_and_discloses_the_transfer(comfyui_fake: ComfyUIFake):
    engine = make_engine(comfyui_fake)
    for style in STYLES:
        assert "sent to the ComfyUI server" in style.description
        products = [] if style.name == "comfyui_imagine" else [photograph()]
        models = [photograph()] if style.needs_model else []
        result, _ = await generate(engine, make_request("a red cup", style.name, products, models))
        assert result.mime == "image/png"


async def test_same_seed_gives_the_same_picture(comfyui_fake: ComfyUIFake):
    pictures = [(await generate(make_engine(comfyui_fake), make_request(seed=seed)))[0].images[0] for seed in (1, 1, 2)]
    assert pictures[0] == pictures[1] != pictures[2]


@pytest.mark.parametrize("combo", [True, False])
async def test_first_checkpoint_is_the_default(comfyui_fake: ComfyUIFake, combo: bool):
    comfyui_fake.combo_schema = combo
    await generate(make_engine(comfyui_fake))
    await generate(make_engine(comfyui_fake, checkpoint="other.safetensors"))
    names = [sent(comfyui_fake, "CheckpointLoaderSimple", index)[0]["ckpt_name"] for index in (0, 1)]
    assert names == ["sd_xl_base_1.0.safetensors", "other.safetensors"]


async def test_key_is_sent_with_every_call(comfyui_fake: ComfyUIFake):
    await generate(make_engine(comfyui_fake, api_key="secret"))
    assert {headers.get("authorization") for headers in comfyui_fake.headers} == {"Bearer secret"}
    assert comfyui_fake.socket_headers[0]["authorization"] == "Bearer secret"


async def test_old_server_works(old_comfyui_fake: ComfyUIFake):
    result, steps = await generate(make_engine(old_comfyui_fake))
    assert result.mime == "image/png"
    assert "Painting, step 8 of 8" in steps.words


@pytest.mark.parametrize("old", [False, True])
async def test_end_on_the_socket_triggers_a_poll(comfyui_fake: ComfyUIFake, old_comfyui_fake: ComfyUIFake, old: bool):
    began = time.monotonic()
    await generate(make_engine(old_comfyui_fake if old else comfyui_fake, poll=30))
    assert time.monotonic() - began < 3


async def test_queue_position_is_reported(comfyui_fake: ComfyUIFake):
    comfyui_fake.crowd(2)
    steps = RecordedProgress()
    task = asyncio.create_task(make_engine(comfyui_fake).generate(make_request(), steps))
    await wait_until(lambda: "behind 2 others" in steps.words)
    comfyui_fake.leave()
    await wait_until(lambda: "behind one other" in steps.words)
    comfyui_fake.leave()
    await task


# What a workflow asks for


@pytest.mark.parametrize(
    ("style", "products", "models", "words"),
    [
        ("comfyui_imagine", 1, 0, "works from words alone; you gave 1 product photograph"),
        ("comfyui_reimagine", 0, 0, "works from one photograph; you gave 0"),
        ("comfyui_reimagine", 1, 1, "works from one photograph; you gave 2"),
        ("comfyui_product_on_model", 2, 1, "1 product photograph and 1 model photograph; you gave 2 product"),
        ("comfyui_product_on_model", 1, 0, "you gave 1 product photograph"),
    ],
)
async def test_unused_photographs_are_refused(comfyui_fake: ComfyUIFake, style: str, products: int, models: int, words: str):
    request = make_request("a red cup", style, [photograph()] * products, [photograph()] * models)
    with pytest.raises(EngineRefused, match=words):
        await generate(make_engine(comfyui_fake), request)
    assert comfyui_fake.calls == []


async def test_empty_request_is_refused(comfyui_fake: ComfyUIFake):
    with pytest.raises(EngineRefused, match="few words"):
        await generate(make_engine(comfyui_fake), make_request(" "))


async def test_own_workflow_is_filled(comfyui_fake: ComfyUIFake, tmp_path: Path):
    nodes: dict[str, Any] = json.loads((OWN / "text_to_image.json").read_text())
    nodes["2"]["inputs"]["text"] = "masterpiece, {{prompt}}, by hand"
    nodes["1"] = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "other.safetensors"}}
    own = tmp_path / "own.json"
    own.write_text(json.dumps(nodes))
    await generate(make_engine(comfyui_fake, workflows={"text_to_image": own}), make_request("a {{seed}} {cup|mug}"))
    assert sent(comfyui_fake, "CLIPTextEncode")[0]["text"].startswith("masterpiece, a {{seed}} {cup|mug}, ")
    assert sent(comfyui_fake, "CheckpointLoaderSimple") == [{"ckpt_name": "other.safetensors"}]
    assert ("GET", "/object_info/CheckpointLoaderSimple") not in comfyui_fake.calls


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "API format"),
        ('{"nodes": [], "links": []}', "API format"),
        ('{"1": {"class_type": "A", "inputs": {"text": "{{weather}}"}}}', "nothing fills: weather"),
        ('{"1": {"class_type": "A", "inputs": {}, "_meta": {"title": "{{seed=seed}}"}}}', "no input 'seed'"),
        (None, "cannot be read"),
    ],
)
async def test_invalid_workflow_raises(tmp_path: Path, text: str | None, words: str):
    own = tmp_path / "own.json"
    if text is not None:
        own.write_text(text)
    with pytest.raises(ValueError, match=words):
        ComfyUI("http://127.0.0.1:8188", workflows={"text_to_image": own})


async def test_invalid_address_or_workflow_name_raises():
    for address in ("", "127.0.0.1:8188", "ws://127.0.0.1:8188"):
        with pytest.raises(ValueError, match="http"):
            ComfyUI(address)
    with pytest.raises(ValueError, match="no such workflow: video"):
        ComfyUI("http://127.0.0.1:8188", workflows={"video": Path("x")})


async def test_included_workflows_use_only_core_nodes():
    existing = {"CheckpointLoaderSimple", "CLIPTextEncode", "KSampler", "LoadImage", "VAEEncode", "VAEDecode"}
    existing |= {"SaveImage", "EmptyLatentImage", "ImageScale", "InvertMask", "ImageCompositeMasked"}
    for name in WORKFLOWS:
        nodes = json.loads((OWN / f"{name}.json").read_text())
        assert {node["class_type"] for node in nodes.values()} <= existing


@pytest.mark.parametrize(
    "entry",
    [
        {"source": "websocket", "type": "output"},
        {"filename": None, "type": "output"},
        "ComfyUI_00001_.png",
        None,
        {"filename": "film.mp4", "subfolder": "", "type": "output"},
    ],
)
async def test_an_output_that_is_no_image_file_does_not_lose_the_picture(comfyui_fake: ComfyUIFake, entry: object):
    comfyui_fake.more_images = [entry]
    result, _ = await generate(make_engine(comfyui_fake))
    assert len(result.images) == 1 and result.mime == "image/png"
    assert len(result.notes["files"]) == 1


@pytest.mark.parametrize("output", [None, [], {"text": ["a cup"]}, {"images": {}}, {"images": None}, {"animated": [True]}])
async def test_an_output_of_another_node_does_not_lose_the_picture(comfyui_fake: ComfyUIFake, output: object):
    comfyui_fake.more_outputs = {"99": output}
    result, _ = await generate(make_engine(comfyui_fake))
    assert len(result.images) == 1
