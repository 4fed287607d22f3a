"""Training on a Ray cluster: the driver that stands between coordinator and cluster, and the actors on its nodes."""
