"""What a builder step imports, for the fork server of the kind spark: it loads these once, then forks.

None of them opens a channel or starts a thread (a test counts them), given OPENBLAS_NUM_THREADS=1 and
JE_ARROW_MALLOC_CONF=background_thread:false.
"""

MODULES = (
    "orchestra_runtime.spark_builder",  # session, modeling, members; pyspark.sql.connect, pyspark.ml, grpc, pyarrow
    "orchestra_runtime.download",
    "pyspark.ml",
    "pyspark.ml.feature",
    "pyspark.ml.tuning",
    "pyspark.ml.connect.serialize",
    "pyspark.ml.connect.readwrite",
    "pyspark.sql.functions",
    "pyspark.sql.connect.functions",
    "pyspark.sql.types",
    "pandas",
    "numpy",
)
