"""The production files, as far as they can be checked without a container engine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack.checked import PRODUCTION
from devstack.postgres import grant_to_app
from tenants.redaction import SECRET_PREFIXES

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
WORKERS = ("worker", "exchange", "outbound", "waiting")
OURS = ("web", *WORKERS, "beat", "migrate")
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
SETTINGS = (ROOT / "config" / "settings.py").read_text()
IMAGE_ENV = dict(
    word.split("=", 1)
    for line in DOCKERFILE if line.startswith("ENV ")
    for word in line.split()[1:]
)  # fmt: skip


def test_every_part_is_there_with_a_health_check() -> None:
    assert set(SERVICES) == {*OURS, "proxy", "postgres", "redis"}
    for name, service in SERVICES.items():
        assert name == "migrate" or service["healthcheck"]["test"], name


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_with_least_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "ports" not in service


def test_only_the_proxy_is_reachable_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_migrations_run_once_under_the_owners_role_before_everything_else() -> None:
    migrate = SERVICES["migrate"]
    assert migrate["command"][-2:] == ["migrate", "--noinput"]
    assert migrate["restart"] == "no"
    assert migrate["environment"]["DATABASE_URL_FILE"].endswith("database_owner_url")
    for name in ("web", *WORKERS, "beat"):
        waits = SERVICES[name]["depends_on"]["migrate"]["condition"]
        assert waits == "service_completed_successfully"
        assert "database_owner_url" not in SERVICES[name]["secrets"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_secret_is_a_file_that_the_service_has_and_no_value(name: str) -> None:
    service = SERVICES[name]
    listed = set(service.get("secrets", []))
    assert listed <= set(COMPOSE["secrets"])
    for setting, value in service.get("environment", {}).items():
        if setting.endswith("_FILE"):
            assert Path(value).name in listed, setting
        assert not re.search(r"PASSWORD$|SECRET$|KEY$", setting), setting


def test_each_setting_in_use_is_one_that_the_app_reads() -> None:
    names = {
        setting.removesuffix("_FILE")
        for name in OURS
        for setting in SERVICES[name]["environment"]
        if setting not in ("WORKER",)
    }
    example = (ROOT / "deploy" / "example.env").read_text()
    names |= set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) - {"SITE_ADDRESS"}
    assert {name for name in names if f'"{name}"' not in SETTINGS} == set()


@pytest.mark.parametrize("name", OURS)
def test_each_command_exists(name: str) -> None:
    cmd = next(line for line in DOCKERFILE if line.startswith("CMD "))
    command = SERVICES[name].get("command") or yaml.safe_load(cmd.removeprefix("CMD "))
    assert shutil.which(command[0], path=str(Path(sys.executable).parent))


def test_the_image_does_not_run_as_root() -> None:
    users = [line for line in DOCKERFILE if line.startswith("USER ")]
    assert users == ["USER app"]
    last_copy = max(i for i, line in enumerate(DOCKERFILE) if line.startswith("COPY"))
    assert DOCKERFILE.index("USER app") > last_copy


def copied() -> list[str]:
    lines = [line.split() for line in DOCKERFILE if line.startswith("COPY ")]
    return [words[1] for words in lines if "--from=build" not in words]


def test_each_copied_source_exists_and_is_let_in_by_dockerignore() -> None:
    let_in = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    for source in copied():
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in let_in, source


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """What the image holds, without the engine: the copied files and nothing else."""
    for source in copied():
        if source.startswith(("requirements", "devstack")):
            continue  # of the stage that builds
        target = tmp_path / source
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, target)
    return tmp_path


def run(image: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": str(Path(sys.executable).parent), "HOME": str(image)}
    return subprocess.run(
        [sys.executable, *command],
        cwd=image, env={**bare, **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_image_s_own_step_collects_the_static_files(image: Path) -> None:
    step = next(line for line in DOCKERFILE if "collectstatic" in line and line.startswith("RUN"))
    words = shlex.split(step.removeprefix("RUN "))
    env = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
    env |= {"STATIC_COLLECTED": IMAGE_ENV["STATIC_COLLECTED"]}
    done = run(image, *words[words.index("python") + 1 :], **env)
    assert done.returncode == 0, done.stderr
    hashed = list((image / "staticfiles").glob("connect.????????????.js.gz"))
    assert len(hashed) == 1, "named by its content and compressed, as STATIC_COLLECTED asks"
    assert (image / "staticfiles" / "unfold").is_dir()


def test_what_is_in_the_image_passes_the_deploy_checks_with_secrets_from_files(
    image: Path,
) -> None:
    (image / "staticfiles").mkdir()
    secrets = image / "secrets"
    secrets.mkdir()
    env: dict[str, str] = {}
    files = {n.removesuffix("_FILE") for n in SERVICES["web"]["environment"]}
    for name, value in PRODUCTION.items():
        if name in files:
            (secrets / name).write_text(value)
            env[f"{name}_FILE"] = str(secrets / name)
        else:
            env[name] = value
    done = run(image, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **env)
    assert done.returncode == 0, done.stderr
    config = run(image, "-m", "gunicorn", "config.wsgi", "-c", "config/gunicorn.py",
                 "--check-config", **env)  # fmt: skip
    assert config.returncode == 0, config.stderr


def test_the_roles_are_those_of_the_local_stack() -> None:
    said: list[str] = []

    class Recorder:
        def execute(self, statement: str) -> None:
            said.append(" ".join(statement.split()))

    grant_to_app(Recorder())
    script = " ".join((ROOT / "deploy" / "roles.sh").read_text().split())
    assert said
    for statement in said:
        assert f"{statement};" in script
    assert "SUPERUSER" not in script


def test_the_shell_script_parses() -> None:
    assert os.access(ROOT / "deploy" / "roles.sh", os.X_OK)
    subprocess.run(["sh", "-n", str(ROOT / "deploy" / "roles.sh")], check=True)


@pytest.mark.parametrize(
    ("uri", "logged"),
    [
        ("/s/secret-token/", "/s/"),
        ("/s/secret-token/?x=1", "/s/"),
        ("/connect/return/?code=secret", "/connect/return/"),
        ("/invitation/secret-token/", "/invitation/"),
        ("/connect/?onboarding=1", "/connect/"),
        ("/static/base.css", "/static/base.css"),
    ],
)
def test_the_proxys_log_drops_secrets(uri: str, logged: str) -> None:
    caddy = (ROOT / "deploy" / "Caddyfile").read_text()
    found = re.search(r'request>uri regexp "(.*)" "\$\{1\}"', caddy)
    assert found
    assert re.sub(found[1], lambda hit: hit[1] or "", uri) == logged


def test_the_proxy_lets_nobody_through_to_the_metrics() -> None:
    caddy = (ROOT / "deploy" / "Caddyfile").read_text()
    found = re.search(r"@internal path (.*)\n\trespond @internal 404\n\treverse_proxy", caddy)
    assert found
    assert "/metrics" in found[1].split()


@pytest.mark.parametrize("name", WORKERS)
def test_each_worker_shows_its_own_counts_inside_and_its_probe_leaves_none(name: str) -> None:
    service = SERVICES[name]
    assert service["environment"]["METRICS_PORT"] == "9100"
    assert service["environment"]["PROMETHEUS_MULTIPROC_DIR"].startswith(service["tmpfs"][0])
    assert "metrics_token" in service["secrets"]
    assert "env -u PROMETHEUS_MULTIPROC_DIR " in service["healthcheck"]["test"][-1]


def test_the_proxys_errors_are_logged_like_its_accesses() -> None:
    caddy = (ROOT / "deploy" / "Caddyfile").read_text()
    assert caddy.count("import without_secrets") == 2
    assert re.search(r"^\{\n(?:.*\n)*?\tlog default \{\n\t\timport without_secrets", caddy, re.M)
    for prefix in SECRET_PREFIXES:
        assert f"^{prefix}" in caddy, prefix
