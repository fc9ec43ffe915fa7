from learning_orchestra_client.predict._predict import Predict


class PredictScikitLearn(Predict):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "predict/scikitlearn")
