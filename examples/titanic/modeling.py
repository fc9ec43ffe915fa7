"""Who survived the Titanic? The features that the five classifiers learn from.

The builder runs this file with three names in scope:
    training_df, testing_df   the two datasets, as Spark DataFrames
    spark                     the Spark session
and takes three from it, each with a column "features" (and "label", where the answer is known):
    features_training         what the classifiers are fitted on
    features_evaluation       what F1 and accuracy are measured on (None: not measured)
    features_testing          what is predicted
"""
from pyspark.ml import Pipeline
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.sql import functions as F

# Titles as they stand in the names, misspelt and rare ones included. Any other is "Other".
TITLES = {
    "Mr": "Mr", "Dr": "Mr", "Major": "Mr", "Capt": "Mr", "Sir": "Mr", "Don": "Mr",
    "Mrs": "Mrs", "Lady": "Mrs", "Countess": "Mrs", "Dona": "Mrs",
    "Miss": "Miss", "Mlle": "Miss", "Mme": "Miss", "Ms": "Miss",
    "Master": "Master",
}
AGES = {"Miss": 22, "Other": 46, "Master": 5, "Mr": 33, "Mrs": 36}


def look_up(table, key, otherwise):
    """A column: `table[key]`, or `otherwise` where the table has no such key."""
    pairs = F.create_map(*[F.lit(item) for pair in table.items() for item in pair])
    return F.coalesce(F.try_element_at(pairs, key), F.lit(otherwise))


def prepare(passengers):
    """Fills what is missing and adds the columns that the table only implies."""
    title = look_up(TITLES, F.regexp_extract("Name", r"([A-Za-z]+)\.", 1), "Other")
    embarked = F.when(F.col("Embarked").isNull() | (F.col("Embarked") == ""), "S").otherwise(F.col("Embarked"))
    family_size = F.col("SibSp") + F.col("Parch")
    return passengers.withColumns({"Title": title, "Embarked": embarked, "FamilySize": family_size}).withColumns({
        "Age": F.coalesce("Age", look_up(AGES, F.col("Title"), 33)),
        "Alone": (F.col("FamilySize") == 0).cast("double"),
    })


training = prepare(training_df).withColumnRenamed("Survived", "label")
testing = prepare(testing_df)

TEXTS = ["Sex", "Embarked", "Title"]
INDEXES = ["SexIndex", "EmbarkedIndex", "TitleIndex"]
NUMBERS = ["Pclass", "Age", "SibSp", "Parch", "Fare", "FamilySize", "Alone"]

# Indexes are learnt from the training data and used for both. Rows that still lack a value are skipped.
features = Pipeline(stages=[
    StringIndexer(inputCols=TEXTS, outputCols=INDEXES, handleInvalid="skip"),
    VectorAssembler(inputCols=NUMBERS + INDEXES, outputCol="features", handleInvalid="skip"),
]).fit(training)

features_training, features_evaluation = features.transform(training).randomSplit([0.8, 0.2], seed=33)
features_testing = features.transform(testing)
