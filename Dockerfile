# syntax=docker/dockerfile:1
# Three images from one file: api (no TensorFlow, no Ray), cluster (coordinator and Ray head), trainer (Ray workers).
#   docker build --target trainer --build-arg ACCELERATOR=gpu .
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS base
ENV PATH=/opt/regtune/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 REGTUNE_DATA_DIR=/var/lib/regtune
RUN useradd --uid 10001 --user-group --create-home regtune \
 && install --directory --owner=regtune --group=regtune --mode=0700 /var/lib/regtune /checkpoints
WORKDIR /home/regtune

FROM base AS build-api
RUN python -m venv /opt/regtune
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY search_spaces search_spaces
COPY trials trials
COPY service service
RUN pip install --no-cache-dir --constraint constraints.txt '.[postgresql]'

FROM build-api AS build-cluster
RUN pip install --no-cache-dir --constraint constraints.txt '.[postgresql,ray]'

FROM build-cluster AS build-trainer
ARG ACCELERATOR=cpu
RUN pip install --no-cache-dir --constraint constraints.txt ".[ray,${ACCELERATOR}]"

FROM base AS api
COPY --from=build-api /opt/regtune /opt/regtune
USER regtune
EXPOSE 8080
CMD ["regtune", "api"]

FROM base AS cluster
COPY --from=build-cluster /opt/regtune /opt/regtune
USER regtune
CMD ["regtune", "coordinator"]

FROM base AS trainer
COPY --from=build-trainer /opt/regtune /opt/regtune
USER regtune
CMD ["ray", "start", "--address=ray-head:6379", "--block"]
