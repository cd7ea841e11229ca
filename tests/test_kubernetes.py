"""The manifests: each against Kubernetes' own schemas, and what schemas cannot say.

No cluster and no kubectl: files are read as they are; `deploy/kubernetes/*/kustomization.yaml` only
lists them, sets labels, the namespace and the image's tag.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.test import Client
from django.urls import resolve

from config import celery, gunicorn
from onboarding import queues
from tests import labels
from tests.test_monitoring import METRIC, TABLE

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "deploy" / "kubernetes"
SETTINGS = (ROOT / "config" / "settings.py").read_text()
VERSIONS = ("1.31", "1.33", "1.35")
"""Of Kubernetes; what is run in 2026."""
WORKERS = tuple(f"worker-{name}" for name in celery.QUEUES)


def files(part: str) -> list[str]:
    found: list[str] = yaml.safe_load((PLACE / part / "kustomization.yaml").read_text())[
        "resources"
    ]
    return found


def read(part: str) -> list[dict[str, Any]]:
    named = (PLACE / part / name for name in files(part) if name.endswith(".yaml"))
    return [each for path in named for each in yaml.safe_load_all(path.read_text()) if each]


BASE = read("base")
KEDA = read("keda")


def of(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in BASE if each["kind"] == kind}


DEPLOYMENTS, PODS = of("Deployment"), {**of("Deployment"), **of("Job")}


def pod(name: str) -> dict[str, Any]:
    found: dict[str, Any] = PODS[name]["spec"]["template"]["spec"]
    return found


def main(name: str) -> dict[str, Any]:
    (found,) = pod(name)["containers"]
    return dict(found)


def all_containers() -> list[dict[str, Any]]:
    return [
        c for name in PODS for c in (*pod(name)["containers"], *pod(name).get("initContainers", ()))
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", BASE, ids=lambda m: f"{m['kind']}-{m['metadata']['name']}")
def test_a_manifest_is_what_kubernetes_takes(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_a_wrong_field_is_found() -> None:
    wrong = {**DEPLOYMENTS["web"], "spec": {**DEPLOYMENTS["web"]["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_every_file_is_listed() -> None:
    for part in ("base", "keda"):
        there = {path.name for path in (PLACE / part).glob("*.yaml")} - {"kustomization.yaml"}
        assert {name for name in files(part) if name.endswith(".yaml")} == there


def test_each_queue_has_one_deployment() -> None:
    served = [main(name)["command"][main(name)["command"].index("-Q") + 1] for name in WORKERS]
    assert sorted(served) == sorted(celery.QUEUES)
    assert set(DEPLOYMENTS) == {"web", *WORKERS, "beat"}


def test_beat_is_one_and_the_old_one_goes_first() -> None:
    spec = DEPLOYMENTS["beat"]["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}


def test_what_is_scaled_by_others_names_no_number_of_its_own() -> None:
    """Else each `kubectl apply` would set it back."""
    scaled = {
        s["spec"]["scaleTargetRef"]["name"]
        for s in (*of("HorizontalPodAutoscaler").values(), *KEDA)
    }
    assert scaled == {"web", *WORKERS}
    for name in scaled:
        assert "replicas" not in DEPLOYMENTS[name]["spec"]


@pytest.mark.parametrize("name", ["web", *WORKERS])
def test_all_but_beat_have_a_budget_for_their_own_pods(name: str) -> None:
    budget = of("PodDisruptionBudget")[name]["spec"]
    assert budget["maxUnavailable"] == 1
    wanted = budget["selector"]["matchLabels"].items()
    assert wanted <= DEPLOYMENTS[name]["spec"]["template"]["metadata"]["labels"].items()
    assert "beat" not in of("PodDisruptionBudget")


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_selector_finds_its_own_pods_and_no_others(name: str) -> None:
    wanted = DEPLOYMENTS[name]["spec"]["selector"]["matchLabels"].items()
    fit = [
        n for n, d in PODS.items() if wanted <= d["spec"]["template"]["metadata"]["labels"].items()
    ]
    assert fit == [name]


def test_every_container_has_least_rights_and_asks_for_what_it_needs() -> None:
    for container in all_containers():
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]
    for name in PODS:
        assert pod(name)["securityContext"]["runAsNonRoot"] is True
        assert pod(name)["securityContext"]["runAsUser"] == 10001, "as in the Dockerfile"
        assert pod(name)["automountServiceAccountToken"] is False


def test_every_image_is_one_release() -> None:
    images = {container["image"] for container in all_containers()}
    assert len(images) == 1
    name, _, tag = images.pop().rpartition(":")
    assert re.fullmatch(r"\d+\.\d+\.\d+", tag)
    kustomization = yaml.safe_load((PLACE / "base" / "kustomization.yaml").read_text())
    assert kustomization["images"] == [{"name": name, "newTag": tag}]


def test_every_name_in_the_environment_is_a_setting_or_used_by_one() -> None:
    given = set(of("ConfigMap")["onboarding"]["data"])
    values = ""
    for container in all_containers():
        for each in container.get("env", ()):
            given.add(each["name"])
            values += each.get("value", "")
    used = set(re.findall(r"\$\((\w+)\)", values))
    assert used <= given
    names = {name.removesuffix("_FILE") for name in given - used}
    assert {name for name in names if f'"{name}"' not in SETTINGS} == set()


def test_no_secret_is_in_a_manifest_and_each_comes_from_a_file_of_the_compose_setup() -> None:
    compose = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["secrets"])
    for name, value in of("ConfigMap")["onboarding"]["data"].items():
        assert not re.search(r"(PASSWORD|SECRET|SECRETS|KEY|KEYS|TOKEN)$", name), name
        if name.endswith("_FILE"):
            assert Path(value).parent == Path("/run/secrets")
            assert Path(value).name in compose


def test_only_the_migration_has_the_owner_s_password() -> None:
    for name in PODS:
        has = "onboarding-owner" in yaml.safe_dump(pod(name)["volumes"])
        assert has is (name == "migrate"), name
    assert main("migrate")["command"][-2:] == ["migrate", "--noinput"]


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_the_web_s_probes_ask_addresses_that_answer(probe: str, client: Client, db: None) -> None:
    path = main("web")[probe]["httpGet"]["path"]
    assert resolve(path).url_name in ("healthz", "readyz")
    assert client.get(path).status_code == 200


def test_only_readiness_asks_the_database() -> None:
    """A database that is away is no reason to restart everything."""
    assert main("web")["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert main("web")["readinessProbe"]["httpGet"]["path"] == "/readyz"


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_s_probes_ask_where_it_shows_its_counts(name: str) -> None:
    container = main(name)
    (port,) = (env["value"] for env in container["env"] if env["name"] == "METRICS_PORT")
    assert [p["containerPort"] for p in container["ports"]] == [int(port)]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": "metrics"}


def test_a_stop_has_the_time_it_needs() -> None:
    for name in WORKERS:
        assert pod(name)["terminationGracePeriodSeconds"] >= celery.STOP_SECONDS + 10
    before = int(main("web")["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert pod("web")["terminationGracePeriodSeconds"] > before + gunicorn.graceful_timeout


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_nothing_starts_before_the_migrations_and_each_command_exists(name: str) -> None:
    (before,) = pod(name)["initContainers"]
    assert "migrate --check" in before["command"][-1]
    assert shutil.which(main(name)["command"][0], path=str(Path(sys.executable).parent))


def test_workers_are_scaled_by_metrics_that_there_are() -> None:
    known = labels.known()["queue"]
    for scaled in KEDA:
        assert scaled["apiVersion"] == "keda.sh/v1alpha1"
        spec = scaled["spec"]
        assert 1 <= spec["minReplicaCount"] < spec["maxReplicaCount"]
        queue = spec["scaleTargetRef"]["name"].removeprefix("worker-")
        for trigger in spec["triggers"]:
            asked = trigger["metadata"]["query"]
            assert set(METRIC.findall(asked)) <= TABLE.keys()
            assert re.findall(r'queue="(\w+)"', asked) == [queue]
            assert float(trigger["metadata"]["threshold"]) > 0
    assert queues.DEFAULT in known


def test_only_ingress_and_prometheus_reach_our_pods() -> None:
    policies = of("NetworkPolicy")
    assert policies["nobody"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    opened = {
        name: [port["port"] for rule in p["spec"]["ingress"] for port in rule["ports"]]
        for name, p in policies.items() if name != "nobody"
    }  # fmt: skip
    assert opened == {"web": [8000], "workers": [9100]}
