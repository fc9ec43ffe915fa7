"""Becomes a Spark Connect server: python -I orchestra_spark_server.py --port N --work-dir DIR [--memory 1g] [--cores 2 | --master URL] [--defaults FILE]

It computes in its own process, on so many cores, or on the executors of the standalone cluster whose master is URL (spark://HOST:PORT). FILE
has settings of Spark, as spark-defaults.conf.

Replaces itself by the JVM, so the process id stays. The secret that clients must show is taken from the environment variable
SPARK_CONNECT_AUTHENTICATE_TOKEN (never from the command line, which others can read). The server is ready when it accepts
connections on 127.0.0.1:N. It logs warnings and errors to standard error. SIGTERM ends it.

Exits with 2 when something is missing, and says what. See "The Spark server" in PROTOCOL.md.
"""
import argparse
import importlib.util
import os
import pathlib
import re
import shutil
import socket
import sys

SECRET = "SPARK_CONNECT_AUTHENTICATE_TOKEN"
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"

# What Spark's own start scripts give to Java 17 (org.apache.spark.launcher.JavaModuleOptions).
OPENED = ("java.base/java.lang java.base/java.lang.invoke java.base/java.lang.reflect java.base/java.io java.base/java.net "
          "java.base/java.nio java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic "
          "java.base/jdk.internal.ref java.base/sun.nio.ch java.base/sun.nio.cs java.base/sun.security.action "
          "java.base/sun.util.calendar java.security.jgss/sun.security.krb5").split()
MODULE_OPTIONS = [
    "-XX:+IgnoreUnrecognizedVMOptions",
    "--add-modules=jdk.incubator.vector",
    *[f"--add-opens={package}=ALL-UNNAMED" for package in OPENED],
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
    "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
]

JVM_OPTIONS = [
    "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",  # one collector thread, the quick compiler: half the memory, sooner warm
    "-XX:ReservedCodeCacheSize=256m",  # that compiler's default of 48 MB is full after one builder step: then nothing is compiled
    "-XX:+ExitOnOutOfMemoryError",  # a JVM that ran out of memory is not to be trusted: it ends, its owner starts another
    "-Xss4m",  # plans are trees that Spark walks recursively
]


LOOPBACK = "127.0.0.1"


class Refused(Exception):
    """What was given cannot be used; the text says why."""


def fixed_conf(port, master):
    """Settings of Spark that are the server's own."""
    return {
        "spark.master": master,
        "spark.connect.grpc.binding.address": LOOPBACK,
        "spark.connect.grpc.binding.port": port,
    }


def default_conf(work_dir, address, master):
    """Settings of Spark that FILE may change. Nothing but the Connect port listens beyond the JVM's own needs, and all of it on `address`."""
    return {
        "spark.app.name": "orchestra",
        "spark.driver.host": address,
        "spark.driver.bindAddress": address,
        "spark.authenticate": "false" if is_cluster(master) else "true",  # a cluster has one secret for all, or none
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": work_dir / "warehouse",
        "spark.sql.catalogImplementation": "in-memory",
        # The same data falls into the same partitions on every machine, whatever its number of cores.
        "spark.sql.files.minPartitionNum": 8,
        "spark.sql.shuffle.partitions": 8,
        "spark.sql.artifact.isolation.enabled": "true",
    }


def read_defaults(path):
    """Names and values of a file as spark-defaults.conf: a name, spaces or =, a value. Refused, which repeats no value: it may be a secret."""
    found = {}
    try:
        lines = pathlib.Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, *value = re.split(r"\s*[=\s]\s*", line.strip(), maxsplit=1)
        if not re.fullmatch(r"spark\.[A-Za-z0-9._-]+", name) or not value:
            raise Refused(f"{path}, line {number}: it is not the name of a setting, spark.…, and its value")
        if name in fixed_conf(0, ""):
            raise Refused(f"{path}, line {number}: {name} is the server's own to set")
        found[name] = value[0]
    return found


def is_cluster(master):
    return master.startswith("spark://")


def masters(url):
    """Host and port of each master of spark://HOST:PORT,HOST:PORT. Refused."""
    if not re.fullmatch(r"spark://[A-Za-z0-9._-]+:[0-9]{1,5}(,[A-Za-z0-9._-]+:[0-9]{1,5})*", url):
        raise Refused(f"{url} is not of the form spark://HOST:PORT")
    return [(host, int(port)) for host, _, port in (each.partition(":") for each in url.removeprefix("spark://").split(","))]


def address_towards(host, port):
    """This machine's address in the network in which `host` is: what it can be called back at. Refused."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as out:
            out.connect(address)  # sends nothing
            return out.getsockname()[0]
    except OSError as error:
        raise Refused(f"there is no way to {host}: {error}") from None


def java():
    """The path of the java program: of JAVA_HOME if that is set, else of PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=os.path.join(home, "bin") if home else None)
    if not found:
        raise FileNotFoundError(f"no java {'in ' + home if home else 'on PATH'}; Java 17 is needed")
    return found


def jars():
    """The folder of Spark's jars, found without importing pyspark."""
    spec = importlib.util.find_spec("pyspark")
    if spec is None:
        raise FileNotFoundError(f"no pyspark for {sys.executable}")
    return pathlib.Path(spec.origin).parent / "jars"


def driver_address(master):
    return address_towards(*masters(master)[0]) if is_cluster(master) else LOOPBACK


def arguments_file(properties, work_dir):
    """A file of java's arguments: nobody reads there what stands in them, as they could in a command line."""
    path = work_dir / "java-arguments"
    quoted = ['"-D{}={}"'.format(name, str(value).replace("\\", "\\\\").replace('"', '\\"')) for name, value in properties.items()]
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("\n".join(quoted))
    return path


def command(arguments, work_dir, address):
    """The command line of the JVM."""
    master = arguments.master or f"local[{arguments.cores}]"
    logging = pathlib.Path(__file__).resolve().with_name("orchestra_spark_log4j2.properties")
    properties = {
        "java.io.tmpdir": work_dir / "tmp",
        "java.awt.headless": "true",
        "log4j2.configurationFile": logging.as_uri(),
        **default_conf(work_dir, address, master),
        **(read_defaults(arguments.defaults) if arguments.defaults else {}),
        **fixed_conf(arguments.port, master),
    }
    return [
        java(), *MODULE_OPTIONS, *JVM_OPTIONS, f"-Xmx{arguments.memory}", f"@{arguments_file(properties, work_dir)}", "-cp", f"{jars()}/*", SERVER,
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--work-dir", type=pathlib.Path, required=True, help="an existing folder of its own, swept by the caller")
    parser.add_argument("--memory", default="1g", help="the JVM's heap, as -Xmx takes it")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--master", default="", help="spark://HOST:PORT of a standalone cluster")
    parser.add_argument("--defaults", type=pathlib.Path, help="a file as spark-defaults.conf")
    arguments = parser.parse_args()
    if not os.environ.get(SECRET):
        parser.error(f"the environment variable {SECRET} is not set")
    work_dir = arguments.work_dir.resolve()
    (work_dir / "tmp").mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        address = driver_address(arguments.master)
        line = command(arguments, work_dir, address)
    except (FileNotFoundError, Refused) as error:
        parser.error(str(error))
    os.chdir(work_dir)  # Spark Connect keeps uploaded artifacts below its current folder
    os.execve(line[0], line, {**os.environ, "SPARK_HOME": str(jars().parent), "SPARK_LOCAL_DIRS": str(work_dir / "tmp"),
                                "SPARK_LOCAL_IP": address})


if __name__ == "__main__":
    main()
