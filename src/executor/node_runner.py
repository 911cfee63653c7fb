"""Runs one node callable for the executor.

Standard input is a socket. It brings one line with the entry point, the module paths and the request context, then
the payload as it was written, up to the end. Two lines go back: "ready", and the answer as strict JSON. Standard
output and standard error stay the callable's own.
"""
import importlib
import json
import math
import os
import sys
import traceback
import types

DEEPEST = 100  # strict parsers stop at about 128 levels, and the result wraps what is returned here


class Unserialisable(Exception):
    """A value that JSON has no form for."""


def whole_text(text):
    """Joins surrogate pairs and replaces lone surrogates; says whether any was replaced."""
    try:
        text.encode("utf-8")
        return text, False
    except UnicodeEncodeError:
        joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return joined, any("\ud800" <= c <= "\udfff" for c in text) and "\ufffd" in joined


def strict(value, path, warnings, parents=()):
    """The value in plain types that strict JSON can hold; each change adds a warning."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        text, replaced = whole_text(str.__str__(value))
        if replaced:
            warnings.append(f"{path}: a lone surrogate is not text; U+FFFD was written.")
        return text
    if isinstance(value, int):
        value = int(value)
        if not -(2**63) <= value < 2**64:
            warnings.append(f"{path}: an integer of more than 64 bits may be rounded by readers; its digits were written as text.")
            return str(value)
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            warnings.append(f"{path}: {float(value)!r} is not JSON; null was written.")
            return None
        return float(value)
    if not isinstance(value, (dict, list, tuple)):
        raise Unserialisable(f"{path} is a {type(value).__name__}, which JSON cannot express.")
    if any(value is parent for parent in parents):
        raise Unserialisable(f"{path} contains itself.")
    if len(parents) >= DEEPEST:
        raise Unserialisable(f"{path} is nested deeper than {DEEPEST} levels.")
    inside = parents + (value,)
    if isinstance(value, dict):
        return {
            key_text(key, path, warnings): strict(item, f"{path}.{printable(key)}", warnings, inside)
            for key, item in value.items()
        }
    return [strict(item, f"{path}[{index}]", warnings, inside) for index, item in enumerate(value)]


def key_text(key, path, warnings):
    """A key as json.dumps writes it: numbers, booleans and None become text."""
    if isinstance(key, str):
        return strict(key, f"a key of {path}", warnings)
    if key is None or isinstance(key, (bool, int, float)):
        return json.dumps(key)
    raise Unserialisable(f"a key of {path} is a {type(key).__name__}, which JSON cannot express.")


def printable(value):
    return whole_text(str(value))[0]


def request_object(fields, context):
    """The request as the callable wants it: fields as attributes, providers as a set, server keys as a list."""
    fields = dict(fields)
    fields["enabled_providers"] = set(fields.get("enabled_providers") or [])
    fields["mcp_server_keys"] = list(fields.get("mcp_server_keys") or [])
    fields.setdefault("request_context", context)
    return types.SimpleNamespace(**fields)


def find(entrypoint):
    module_name, _, name = entrypoint.partition(":")
    target = getattr(importlib.import_module(module_name.strip()), name.strip())
    if not callable(target):
        raise TypeError(f"{entrypoint} is not callable")
    return target


def pair_of_objects(returned):
    if isinstance(returned, (tuple, list)) and len(returned) == 2 and all(isinstance(state, dict) for state in returned):
        return returned
    if isinstance(returned, (tuple, list)):
        shape = f"a {type(returned).__name__} of " + (", ".join(type(state).__name__ for state in returned) or "nothing")
    else:
        shape = type(returned).__name__
    raise TypeError(f"the callable must return a pair of objects (output_state, routing_state), not {shape}.")


def missing_backend(error, entrypoint):
    """Images carry no Studio source of their own (W36): say what to do rather than only what is missing."""
    top = entrypoint.partition(":")[0].strip().partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and error.name == top:
        return f"Nothing on the module path has '{top}'. Mount the Studio backend, or set node_execution.python_paths."
    return None


def beyond_this_script(trace):
    """The traceback without the frames of this script, which are no news to whoever wrote the node."""
    while trace is not None and trace.tb_frame.f_code.co_filename == "<string>":
        trace = trace.tb_next
    return trace


def work(job, request):
    paths = job["python_paths"]
    sys.path[:] = paths + [path for path in sys.path if path and path not in paths]
    entrypoint = job["entrypoint"]
    try:
        returned = find(entrypoint)(request_object(request, job["request_context"]))
        output, routing = pair_of_objects(returned)
        warnings = []
        states = [strict(output, "output_state", warnings), strict(routing, "routing_state", warnings)]
        return {"states": states, "warnings": warnings}
    except Unserialisable as problem:
        return {"error": printable(problem)}
    except SystemExit as exit:
        return {"error": f"the callable called sys.exit({printable(repr(exit.code))}).", "details": {"exception": "SystemExit"}}
    except BaseException as error:
        traceback.print_exception(type(error), error, beyond_this_script(error.__traceback__))
        details = {"exception": type(error).__name__}
        hint = missing_backend(error, entrypoint)
        if hint:
            details["hint"] = hint
        return {"error": printable(error) or type(error).__name__, "details": details}


def send(link, text):
    data = memoryview(text.encode("ascii"))
    while data:
        data = data[os.write(link, data):]


def main():
    started = os.getpid()
    link = os.dup(0)  # not inherited by programs the callable starts
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    send(link, "ready\n")
    with open(link, "rb", closefd=False) as reader:
        head, payload = reader.readline(), reader.read()
    answer = work(json.loads(head), json.loads(payload)["node_execution"]["request"])
    if os.getpid() != started:
        os._exit(1)  # a fork of the callable that came back: the answer is not its to give
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # closed by the callable
    send(link, json.dumps(answer, allow_nan=False) + "\n")
    os.close(link)


main()
