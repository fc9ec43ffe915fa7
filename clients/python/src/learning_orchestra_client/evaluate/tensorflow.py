from learning_orchestra_client.evaluate._evaluate import Evaluate


class EvaluateTensorflow(Evaluate):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "evaluate/tensorflow")
