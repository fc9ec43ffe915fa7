from learning_orchestra_client.explore._explore import Explore


class ExploreTensorflow(Explore):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "explore/tensorflow")
