from learning_orchestra_client.train._train import Train


class TrainScikitLearn(Train):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "train/scikitlearn")
