"""What is wrong with a request, in our words: which field, what it is, what was expected. Never its value.

Pydantic tells one finding for each form that a field may have (`"auto"`, a number), under a path that names the form;
here the findings of one field become one sentence under the field's own name.
"""

from typing import Any

from pydantic_core import PydanticCustomError

Problem = tuple[str, str, str]  # the field, what is wrong with it, OpenAI's code
MAX_NAME = 80  # characters of a client's field name that are repeated

# What was expected, by pydantic's type of finding; words in braces are the finding's own figures.
EXPECTED = {
    "string_type": "a string", "string_too_short": "a string of at least {min_length} characters",
    "string_too_long": "a string of at most {max_length} characters", "string_unicode": "text without half a surrogate pair",
    "int_type": "an integer", "int_parsing": "an integer", "int_from_float": "an integer", "int_parsing_size": "a smaller integer",
    "float_type": "a number", "float_parsing": "a number", "finite_number": "a finite number",
    "bool_type": "true or false", "bool_parsing": "true or false",
    "list_type": "a list", "dict_type": "an object", "model_type": "an object", "model_attributes_type": "an object",
    "too_short": "a list of at least {min_length}", "too_long": "a list of at most {max_length}",
    "greater_than": "a number above {gt:g}", "greater_than_equal": "a number of at least {ge:g}",
    "less_than": "a number below {lt:g}", "less_than_equal": "a number of at most {le:g}",
    "literal_error": "{expected}",
}  # fmt: skip
KINDS = {
    type(None): "null",
    bool: "a boolean",
    str: "a string",
    int: "a number",
    float: "a number",
    list: "a list",
}


def refuse(param: str, text: str) -> PydanticCustomError:
    """Return the error for a validator to raise: `text` is told as it stands.

    It is told of the field `param` within what the validator looks at; of that itself where `param` is empty.
    """
    return PydanticCustomError("refused", "{text}", {"text": text, "param": param})


def problems_of(errors: list[dict], body: Any) -> list[Problem]:
    """Turn all of pydantic's findings on one request into problems, one to a field.

    Parameters
    ----------
    errors : list of dict
        Pydantic's findings.
    body : Any
        The parsed body, to tell the names of its fields from those of forms.
    """
    found: dict[tuple, list[dict]] = {}
    for error in errors:
        found.setdefault(_path(error, body), []).append(error)
    # A field that may be a list is told by what is wrong inside the list, where it is one.
    deepest = [p for p in found if not any(len(q) > len(p) and p and q[: len(p)] == p for q in found)]
    return [_problem(_name(path), found[path]) for path in deepest]


def _path(error: dict, body: Any) -> tuple:
    """Return the finding's place in the request, without the names of forms that pydantic puts between."""
    where, *rest = error["loc"]
    if where != "body":
        return tuple(rest)
    path, at = [], body
    for part in rest:
        is_item = isinstance(at, list) and isinstance(part, int) and part < len(at)
        if is_item or (isinstance(at, dict) and part in at):
            path, at = [*path, part], at[part]
        elif error["type"] == "missing" and part == rest[-1]:
            path.append(part)
    return tuple(path)


def _name(path: tuple) -> str:
    """Spell a path as OpenAI does: messages[0].content."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:MAX_NAME]}" for part in path)
    return "".join(c if c.isprintable() else "?" for c in text.removeprefix("."))


def _problem(param: str, errors: list[dict]) -> Problem:
    kind, context = errors[0]["type"], errors[0].get("ctx", {})
    if kind == "refused":
        return ".".join(filter(None, (param, context["param"]))), context["text"], "invalid_value"
    if kind == "extra_forbidden":
        return param, f"Unknown or unsupported parameter: '{param}'", "unknown_parameter"
    if kind == "json_invalid":
        return "", "The request's body is not JSON. Expected a JSON object", "invalid_json"
    if kind == "missing":
        return (param, f"Missing required parameter: '{param}'", "missing_required_parameter") if param else (
            "", "The request has no body. Expected a JSON object", "invalid_json")  # fmt: skip
    expected = " or ".join(dict.fromkeys(_expected(error) for error in errors))
    kinds = {error["type"] for error in errors} - {"literal_error"}
    if kinds and all(kind.endswith(("_type", "_parsing", "from_float")) for kind in kinds):
        expected += f", not {KINDS.get(type(errors[0]['input']), 'an object')}"
    if not param:
        return "", f"Invalid request body: expected {expected}", "invalid_value"
    return param, f"Invalid value for '{param}': expected {expected}", "invalid_value"


def _expected(error: dict) -> str:
    context = error.get("ctx", {})
    if error["type"] == "too_long" and context["field_type"] == "Dictionary":
        return f"an object of at most {context['max_length']} keys"
    return EXPECTED.get(error["type"], "another value").format_map(context)
