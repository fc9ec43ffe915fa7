"""Becomes a local Spark Connect server: python -I orchestra_spark_server.py --port N --work-dir DIR [--memory 1g] [--cores 2]

Replaces itself by the JVM, so the process id stays. The secret that clients must show is taken from the environment variable
SPARK_CONNECT_AUTHENTICATE_TOKEN (never from the command line, which others can read). The server is ready when it accepts
connections on 127.0.0.1:N. It logs warnings and errors to standard error. SIGTERM ends it.

Exits with 2 when something is missing, and says what. See "The Spark server" in PROTOCOL.md.
"""
import argparse
import importlib.util
import os
import pathlib
import shutil
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


def spark_conf(port, work_dir, cores):
    """Spark's settings. Nothing but the Connect port listens beyond the JVM's own needs, and all of it on loopback."""
    return {
        "spark.app.name": "orchestra",
        "spark.master": f"local[{cores}]",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.authenticate": "true",
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": work_dir / "warehouse",
        "spark.sql.catalogImplementation": "in-memory",
        # The same data falls into the same partitions on every machine, whatever its number of cores.
        "spark.sql.files.minPartitionNum": 8,
        "spark.sql.shuffle.partitions": 8,
        "spark.sql.artifact.isolation.enabled": "true",
    }


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


def command(port, work_dir, memory, cores):
    """The command line of the JVM."""
    logging = pathlib.Path(__file__).resolve().with_name("orchestra_spark_log4j2.properties")
    properties = {
        "java.io.tmpdir": work_dir / "tmp",
        "java.awt.headless": "true",
        "log4j2.configurationFile": logging.as_uri(),
        **spark_conf(port, work_dir, cores),
    }
    return [
        java(), *MODULE_OPTIONS, *JVM_OPTIONS, f"-Xmx{memory}",
        *[f"-D{name}={value}" for name, value in properties.items()],
        "-cp", f"{jars()}/*", SERVER,
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--work-dir", type=pathlib.Path, required=True, help="an existing folder of its own, swept by the caller")
    parser.add_argument("--memory", default="1g", help="the JVM's heap, as -Xmx takes it")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    if not os.environ.get(SECRET):
        parser.error(f"the environment variable {SECRET} is not set")
    work_dir = arguments.work_dir.resolve()
    (work_dir / "tmp").mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        line = command(arguments.port, work_dir, arguments.memory, arguments.cores)
    except FileNotFoundError as error:
        parser.error(str(error))
    os.chdir(work_dir)  # Spark Connect keeps uploaded artifacts below its current folder
    os.execve(line[0], line, {**os.environ, "SPARK_HOME": str(jars().parent), "SPARK_LOCAL_DIRS": str(work_dir / "tmp"),
                                "SPARK_LOCAL_IP": "127.0.0.1"})


if __name__ == "__main__":
    main()
