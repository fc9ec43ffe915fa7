from learning_orchestra_client.explore._explore import Explore


class ExploreScikitLearn(Explore):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "explore/scikitlearn")
