"""Writes what the modules of the tools have to be called, so that the server can check requests without running Python.

    python -I orchestra_tool_index.py --tool scikitlearn --tool tensorflow OUT.json

Run at set-up, in the environment that the steps will run in. Exit status: 0 written, 2 wrong arguments, 3 a tool is missing (why is
on standard error; nothing is written). The same packages give the same bytes.

One JSON object. Numbers that refer to a list are places in it.

    {"v": 1,
     "python": "3.11",
     "packages": {"scikit-learn": "1.9.1"},            distributions that were looked at
     "tools": {"scikitlearn": {"allowed": ["sklearn", "xgboost"], "covered": ["sklearn"]}},      module prefixes, see below
     "general": {"explore": ["numpy"]},                module prefixes that a service may call whatever its tool
     "aliases": {"tensorflow.keras": "keras"},         a module not listed that begins with the left one is read with the right one
     "modules": {"sklearn.svm": {"SVC": 7}},           public names that can be called: places in "callables"
     "callables": [{"kind": "class" | "function", "name": "sklearn.svm._classes.SVC", "doc": "First line.",
                    "signature": 5 | null, "methods": 3}, …],
     "methods": [{"fit": 9, "fit_predict": null}, …],  of classes, inherited ones too: places in "signatures"
     "signatures": [{"required": ["X"], "optional": ["y"], "varargs": "arrays", "varkw": true}, …]}

- `methods` is only at classes, `doc`, `required`, `optional`, `varargs`, `varkw` only where there are any.
- Parameters given by name bind when each is in `required`, in `optional` or is `varargs` (which takes a list), or `varkw` is true;
  and all of `required` are given. A signature of null is not known to Python: such a call is not checked.
- `tools` has every tool. `allowed` are its own modules; of those below a `covered` prefix all public ones are listed.
- A module below a covered prefix that is listed neither itself nor by alias does not exist, unless a part of its name begins with `_`
  or it is below `keras.src`: those are not public, and are left to the step; so is what lies below an allowed prefix and no covered one.
- `name` of a class is what `typeName` says of its instances. Classes that derive from listed ones and that no module shows
  (keras.src.models.functional.Functional, which keras.Model makes) are in "callables" alone.
- A method that an instance has or lacks by its parameters (SVC().predict_proba) is listed.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # -I leaves it out

from orchestra_runtime import tool_index  # noqa: E402

sys.exit(tool_index.main(sys.argv[1:]))
