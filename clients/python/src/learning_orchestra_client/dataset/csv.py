from learning_orchestra_client.dataset._dataset import Dataset


class DatasetCsv(Dataset):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "dataset/csv")
