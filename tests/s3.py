"""An S3 server of the tests' own: moto's, with real HTTP and signatures."""

import contextlib
import threading

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

USER, SECRET = "AKIASESAMESESAMESESA", "sesame/opens+the=door"
VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL",
             "AWS_ENDPOINT_URL_S3", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE")


class Store:
    """An S3 server on loopback that counts what is read, and holds back what lies behind `held`."""

    def __init__(self):
        self.application = DomainDispatcherApplication(create_backend_app)
        self.server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.ranges = []
        self.meddle = None  # may answer in place of the server: meddle(environ, start_response, application)
        self.held = None
        self.reached, self.opened = threading.Event(), threading.Event()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.client = boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=USER, aws_secret_access_key=SECRET)
        self.client.create_bucket(Bucket="lake")

    def _answer(self, environ, start_response):
        if self.meddle is not None:
            return self.meddle(environ, start_response, self.application)
        asked = environ.get("HTTP_RANGE", "")
        if environ["REQUEST_METHOD"] == "GET" and asked:
            self.ranges.append(asked)
            if self.held is not None and int(asked[6:].partition("-")[0]) >= self.held:
                self.reached.set()
                self.opened.wait(60)
        return self.application(environ, start_response)

    def hold(self, first):
        self.held = first
        self.reached.clear()
        self.opened.clear()

    def open(self):
        self.held = None
        self.opened.set()

    def put(self, key, content):
        self.client.put_object(Bucket="lake", Key=key, Body=content)
        return f"s3://lake/{key}"


@contextlib.contextmanager
def running():
    """One that ends with the block."""
    made = Store()
    try:
        yield made
    finally:
        made.open()
        made.server.shutdown()


def forget(environment, home):
    """Nothing of S3 is left in the environment, a pytest.MonkeyPatch."""
    for name in VARIABLES:
        environment.delenv(name, raising=False)
    environment.setenv("HOME", str(home))


def configure(environment, store):
    environment.setenv("AWS_ACCESS_KEY_ID", USER)
    environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    environment.setenv("AWS_ENDPOINT_URL", store.url)
