from learning_orchestra_client.model._model import Model


class ModelScikitLearn(Model):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "model/scikitlearn")
