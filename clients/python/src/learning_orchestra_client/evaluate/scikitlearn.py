from learning_orchestra_client.evaluate._evaluate import Evaluate


class EvaluateScikitLearn(Evaluate):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "evaluate/scikitlearn")
