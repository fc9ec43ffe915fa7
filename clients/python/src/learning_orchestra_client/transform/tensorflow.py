from learning_orchestra_client.transform._transform import Transform


class TransformTensorflow(Transform):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "transform/tensorflow")
