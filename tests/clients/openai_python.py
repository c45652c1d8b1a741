"""The official client for Python, unmodified, against a real server: every function is a scenario.

OPENAI_BASE_URL and OPENAI_API_KEY say where the server is; PORTICO_MODEL and PORTICO_EMBEDDER what is
asked of it.
"""

import asyncio
import json
import os
import sys
import time
import traceback
import urllib.request

import openai
from openai import AsyncOpenAI, OpenAI

MODEL = os.environ["PORTICO_MODEL"]
EMBEDDER = os.environ["PORTICO_EMBEDDER"]
client = OpenAI(max_retries=0, timeout=120)

QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 20}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}


def chat(**more):
    more = {"max_completion_tokens": 24, "temperature": 0, **more}
    return client.chat.completions.create(model=MODEL, messages=QUESTION, **more)


def models():
    listed = [model.id for model in client.models.list()]
    assert MODEL in listed, listed
    assert client.models.retrieve(MODEL).id == MODEL


def chat_whole():
    answer = chat()
    assert "Paris" in answer.choices[0].message.content, answer
    assert answer.choices[0].finish_reason in ("stop", "length")
    usage = answer.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 10, usage


def chat_stream():
    whole = chat().choices[0].message.content
    chunks = list(chat(stream=True, stream_options={"include_usage": True}))
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == whole, (said, whole)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 3
    assert [chunk for chunk in chunks if chunk.choices][-1].choices[0].finish_reason
    assert all(chunk.usage is None for chunk in chat(stream=True))


def choices_and_seeds():
    warm = dict(temperature=1.5, n=3, seed=7, max_completion_tokens=12)
    once, again = chat(**warm), chat(**warm)
    said = [choice.message.content for choice in once.choices]
    assert [choice.index for choice in once.choices] == [0, 1, 2]
    assert said == [choice.message.content for choice in again.choices], "one seed, one answer"
    assert len(set(said)) > 1, said
    streamed = ["", "", ""]
    for chunk in chat(stream=True, **warm):
        streamed[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert streamed == said, (streamed, said)


def stops_bias_and_penalties():
    answer = chat(stop=["Paris"]).choices[0]
    assert "Paris" not in answer.message.content and answer.finish_reason == "stop"
    whole = chat(logprobs=True, top_logprobs=3)
    first = whole.choices[0].logprobs.content[0]
    assert len(first.top_logprobs) == 3 and first.logprob <= 0
    banned = whole.choices[0].logprobs.model_extra["token_ids"][0]
    other = chat(logit_bias={str(banned): -100}, logprobs=True).choices[0]
    assert other.logprobs.model_extra["token_ids"][0] != banned
    chat(presence_penalty=1, frequency_penalty=1, top_p=0.9)


def json_schema():
    schema = {"name": "person", "schema": PERSON, "strict": True}
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Invent a person."}],
        response_format={"type": "json_schema", "json_schema": schema},
        max_completion_tokens=200,
        seed=1,
    )
    person = json.loads(answer.choices[0].message.content)
    assert set(person) == {"name", "age"} and isinstance(person["age"], int), person


def tools():
    asks = dict(
        model=MODEL,
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        max_completion_tokens=100,
        temperature=0,
    )
    answer = client.chat.completions.create(**asks).choices[0]
    call = answer.message.tool_calls[0]
    assert call.function.name == "get_weather" and call.id, answer
    assert set(json.loads(call.function.arguments)) == {"city"}
    arguments, names = "", []
    for chunk in client.chat.completions.create(stream=True, **asks):
        for part in chunk.choices[0].delta.tool_calls or []:
            names += [part.function.name] if part.function.name else []
            arguments += part.function.arguments or ""
    assert names == ["get_weather"] and arguments == call.function.arguments, arguments
    told = asks["messages"] + [
        answer.message.model_dump(),
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    after = client.chat.completions.create(
        model=MODEL, messages=told, tools=[WEATHER], tool_choice="none", max_completion_tokens=16
    )
    assert after.choices[0].message.content and not after.choices[0].message.tool_calls


def completions():
    answer = client.completions.create(
        model=MODEL, prompt="The capital of France is", max_tokens=4, temperature=0, logprobs=2, echo=True
    )
    choice = answer.choices[0]
    assert choice.text.startswith("The capital of France is"), choice.text
    assert choice.logprobs.token_logprobs[0] is None and choice.logprobs.token_logprobs[1] < 0
    several = client.completions.create(model=MODEL, prompt=["One", "Two"], max_tokens=2)
    assert [choice.index for choice in several.choices] == [0, 1]
    ids = client.completions.create(model=MODEL, prompt=[504, 3575], max_tokens=2)
    assert ids.usage.prompt_tokens == 2
    pieces = client.completions.create(model=MODEL, prompt="One, two,", max_tokens=5, stream=True)
    assert "".join(piece.choices[0].text for piece in pieces)


def responses():
    asks = dict(model=MODEL, instructions="Be brief.", input=QUESTION[0]["content"], temperature=0)
    answer = client.responses.create(max_output_tokens=24, **asks)
    assert "Paris" in answer.output_text, answer
    assert answer.usage.total_tokens > 10
    said, kinds = "", []
    for event in client.responses.create(max_output_tokens=24, stream=True, **asks):
        kinds.append(event.type)
        if event.type == "response.output_text.delta":
            said += event.delta
    assert said == answer.output_text
    assert kinds[0] == "response.created"
    assert kinds[-1] in ("response.completed", "response.incomplete"), kinds
    flat = {"type": "function", **WEATHER["function"], "strict": True}
    called = client.responses.create(
        model=MODEL, input="Weather in Paris?", tools=[flat], tool_choice="required", max_output_tokens=100
    )
    call = called.output[-1]
    assert call.type == "function_call" and call.name == "get_weather", called
    assert set(json.loads(call.arguments)) == {"city"}


def embeddings():
    texts = ["The cat sleeps.", "A cat is sleeping.", "Taxes are due in May."]
    # Base64 unless something else is said.
    packed = client.embeddings.create(model=EMBEDDER, input=texts)
    plain = client.embeddings.create(model=EMBEDDER, input=texts, encoding_format="float")
    vectors = [each.embedding for each in packed.data]
    for ours, theirs in zip(vectors, plain.data):
        assert max(abs(a - b) for a, b in zip(ours, theirs.embedding)) < 1e-6
    dot = lambda a, b: sum(x * y for x, y in zip(a, b))
    assert abs(dot(vectors[0], vectors[0]) - 1) < 1e-3
    assert dot(vectors[0], vectors[1]) > dot(vectors[0], vectors[2])
    short = client.embeddings.create(model=EMBEDDER, input="a", dimensions=64).data[0].embedding
    assert len(short) == 64 and abs(dot(short, short) - 1) < 1e-3
    assert packed.usage.prompt_tokens > 10


def errors():
    def fails(kind, code, call):
        try:
            call()
        except kind as error:
            assert error.code == code, error
            assert error.message
            return error
        raise AssertionError(f"{code} was expected")

    fails(openai.NotFoundError, "model_not_found", lambda: client.models.retrieve("absent"))
    fails(
        openai.NotFoundError,
        "model_not_found",
        lambda: client.chat.completions.create(model="absent", messages=QUESTION),
    )
    wrong = fails(openai.BadRequestError, "invalid_request", lambda: chat(extra_body={"seed": "x"}))
    assert wrong.param == "seed" and "seed" in wrong.message, wrong.body
    fails(openai.BadRequestError, "invalid_request", lambda: chat(temperature=9))
    german = fails(
        openai.BadRequestError,
        "invalid_request",
        lambda: chat(top_p=9, extra_headers={"Accept-Language": "de"}),
    )
    assert "nicht verständlich" in german.message, german.message
    long = [{"role": "user", "content": "word " * 20_000}]
    fails(
        openai.BadRequestError,
        "context_length_exceeded",
        lambda: client.chat.completions.create(model=MODEL, messages=long, stream=True),
    )
    stranger = OpenAI(api_key="sk-nobody", max_retries=0)
    fails(openai.AuthenticationError, "invalid_api_key", lambda: stranger.models.list())


def cancellation():
    stream = chat(stream=True, max_completion_tokens=2_000, logit_bias={"2": -100, "0": -100})
    for _, chunk in zip(range(5), stream):
        assert chunk.choices
    stream.close()
    origin = str(client.base_url).removesuffix("/v1/")
    end = time.monotonic() + 10
    while True:
        with urllib.request.urlopen(f"{origin}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        running = [line for line in lines if line.startswith("portico_running{")]
        if "portico_open_streams 0" in lines and all(line.endswith(" 0") for line in running):
            return
        assert time.monotonic() < end, running
        time.sleep(0.05)


def many_at_once():
    async def all_of_them():
        async with AsyncOpenAI(max_retries=0, timeout=120) as several:
            ask = lambda: several.chat.completions.create(
                model=MODEL, messages=QUESTION, max_completion_tokens=8, temperature=0
            )
            answers = await asyncio.gather(*(ask() for _ in range(6)))
            return {answer.choices[0].message.content for answer in answers}

    assert len(asyncio.run(all_of_them())) == 1


SCENARIOS = [
    models, chat_whole, chat_stream, choices_and_seeds, stops_bias_and_penalties, json_schema, tools,
    completions, responses, embeddings, errors, cancellation, many_at_once,
]


def main():
    failed = []
    wanted = sys.argv[1:]
    for scenario in SCENARIOS:
        if wanted and scenario.__name__ not in wanted:
            continue
        start = time.monotonic()
        try:
            scenario()
            print(f"  python: {scenario.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
        except Exception:
            failed.append(scenario.__name__)
            print(f"✗ python: {scenario.__name__}\n{traceback.format_exc()}", flush=True)
    if failed:
        sys.exit(f"openai for Python {openai.__version__}: {', '.join(failed)}")


main()
