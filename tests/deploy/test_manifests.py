"""docker-compose.yml, Dockerfile and the Kubernetes manifests are what their readers take them for."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
MANIFESTS = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
RESOURCES: list[Any] = [document for path in MANIFESTS for document in yaml.safe_load_all(path.read_text())]
KUBERNETES_VERSION = "1.33"


def test_the_compose_file_fits_the_compose_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run([*command, str(ROOT / "docker-compose.yml")], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_images_are_built_from_stages_that_exist() -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", DOCKERFILE, re.MULTILINE))
    targets = {service["build"]["target"] for service in COMPOSE["services"].values() if "build" in service}
    assert targets == {"api", "cluster", "trainer"}
    assert targets <= stages


def test_no_image_runs_as_root() -> None:
    final_stages = re.findall(r"^FROM base AS \S+\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    served = [stage for stage in final_stages if "CMD" in stage]
    assert len(served) == 3
    assert all("USER regtune" in stage for stage in served)
    assert COMPOSE["services"]["database"]["user"] == "postgres"


def test_the_image_of_the_api_gets_neither_tensorflow_nor_ray() -> None:
    stage = re.search(r"^FROM base AS build-api\n(.*?)^FROM", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert stage is not None
    assert re.findall(r"pip install .*'\.\[(.*)\]'", stage.group(1)) == ["postgresql"]
    assert "COPY --from=build-api" in DOCKERFILE.split("AS api\n")[1].split("FROM")[0]


def test_what_the_images_are_built_from_is_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {name for line in re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()}
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)


def test_only_the_loopback_interface_of_the_host_is_published() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:8080:8080"]


def test_training_cannot_reach_the_database() -> None:
    workers = [COMPOSE["services"][name] for name in ("ray-worker", "ray-worker-cpu", "ray-head")]
    database = COMPOSE["services"]["database"]
    assert all(set(worker["networks"]).isdisjoint(database["networks"]) for worker in workers)
    assert all(worker["env_file"] == ["deploy/secrets/ray.env"] for worker in workers)


def test_every_service_asks_only_for_env_files_that_are_made(tmp_path: Path) -> None:
    made = make_secrets(tmp_path)
    asked = {Path(path).name for service in COMPOSE["services"].values() for path in service.get("env_file", [])}
    assert asked == {path.name for path in made.iterdir()}
    assert {path.stat().st_mode & 0o777 for path in made.iterdir()} == {0o600}
    before = {path.name: path.read_text() for path in made.iterdir()}
    make_secrets(tmp_path)
    assert {path.name: path.read_text() for path in made.iterdir()} == before


def make_secrets(folder: Path) -> Path:
    """Runs the script that writes the secrets, in a folder of its own."""
    script = folder / "make_secrets.py"
    script.write_text((ROOT / "deploy" / "make_secrets.py").read_text())
    subprocess.run([sys.executable, str(script)], check=True)
    return folder / "secrets"


def environments() -> list[dict[str, str]]:
    composed = [service.get("environment", {}) for service in COMPOSE["services"].values()]
    containers = [
        container
        for resource in RESOURCES
        if resource["kind"] == "Deployment"
        for container in resource["spec"]["template"]["spec"]["containers"]
    ]
    return composed + [{entry["name"]: entry.get("value", "") for entry in c["env"]} for c in containers]


def test_every_setting_of_the_deployments_exists_and_is_valid() -> None:
    given = [
        {name.removeprefix("REGTUNE_").lower(): value for name, value in environment.items() if "REGTUNE_" in name}
        for environment in environments()
    ]
    assert sum(len(settings) for settings in given) > 10
    for settings in given:
        assert set(settings) <= set(Settings.model_fields)
        Settings.model_validate(settings)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: f"{r['kind']}-{r['metadata']['name']}")
def test_kubernetes_resources_fit_their_schemas(resource: dict[str, Any]) -> None:
    if resource["kind"] == "RayCluster":  # the operator's own; what it holds are pods, as everywhere
        groups = [resource["spec"]["headGroupSpec"], *resource["spec"]["workerGroupSpecs"]]
        for number, group in enumerate(groups):
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"group-{number}"}, **group["template"]}
            kubernetes_validate.validate(pod, KUBERNETES_VERSION, strict=True)
    else:
        kubernetes_validate.validate(resource, KUBERNETES_VERSION, strict=True)


def test_secrets_that_kubernetes_pods_read_are_in_the_example() -> None:
    [example] = [resource for resource in RESOURCES if resource["kind"] == "Secret"]
    text = "".join(path.read_text() for path in MANIFESTS)
    asked = set(re.findall(r"key: (\w+)", text))
    assert asked == set(example["stringData"])
    assert all("CHANGE-ME" in value for value in example["stringData"].values())


def test_both_deployments_start_ray_of_the_version_the_tests_ran_with() -> None:
    [cluster] = [resource for resource in RESOURCES if resource["kind"] == "RayCluster"]
    assert f"ray=={cluster['spec']['rayVersion']}\n" in (ROOT / "constraints.txt").read_text()
