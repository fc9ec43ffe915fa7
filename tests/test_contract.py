"""The OpenAPI document against the running server: schemathesis makes requests from it, good and bad, and holds the answers to it."""

import os
import subprocess
import sys



def test_answers_are_what_the_document_says(shared, tmp_path):
    examples = "100" if os.environ.get("ORCHESTRA_LONG") else "15"
    command = [sys.executable, "-m", "schemathesis.cli", "run", shared.url + "/openapi.json", "--max-examples", examples,
               "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
               "--exclude-operation-id", "stream events", "--exclude-operation-id", "observe step", "--no-color", "--generation-database", "none",
               "--request-timeout", "60", "--phases", "examples,coverage,fuzzing"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, cwd=tmp_path, env=dict(os.environ, PYTHONPATH=""))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert shared.http.get("/ready").status_code == 200
