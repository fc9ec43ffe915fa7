from learning_orchestra_client.tune._tune import Tune


class TuneScikitLearn(Tune):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "tune/scikitlearn")
