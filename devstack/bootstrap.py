"""The two commands before anything is installed: plain `python3`, the standard library only.

    python3 devstack/bootstrap.py run|test|lint|env

Makes `.venv`, installs the pinned requirements (a stamp of their hash makes the next time cost
nothing), and goes on in it. Every refusal is one sentence and exit status 1.
"""

from __future__ import print_function

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
LEAST = (3, 11)
CHROMIUM_NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
)  # fmt: skip


def refuse(sentence):
    """One sentence, exit status 1."""
    sys.exit("make: " + sentence)


def is_root_on_debian():
    """Whether apt-get may be asked."""
    return os.geteuid() == 0 and os.path.exists("/etc/debian_version") and shutil.which("apt-get")


def apt_install(package):
    """Install a Debian package; whether that worked."""
    print("Installing the Debian package %s ..." % package, flush=True)
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    quiet = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        subprocess.call(["apt-get", "update"], timeout=300, **quiet)
        command = ["apt-get", "install", "-y", "--no-install-recommends", package]
        return subprocess.call(command, timeout=900, **quiet) == 0
    except subprocess.TimeoutExpired:
        return False


def check_python():
    if sys.version_info < LEAST:
        refuse(
            "Python %d.%d is too old: use 3.11 or newer, for example `PYTHON=python3.12 make run`."
            % sys.version_info[:2]
        )
    for name in (".venv", ".local"):
        path = os.path.join(ROOT, name)
        if os.path.exists(path) and os.stat(path).st_uid != os.getuid():
            refuse(
                "%s belongs to another user (uid %d): run as that user, or remove it with `rm -rf %s`."
                % (path, os.stat(path).st_uid, path)
            )
    if not os.access(ROOT, os.W_OK):
        refuse("%s cannot be written by you: clone it to a place of your own." % ROOT)


def venv_works():
    """Whether `.venv` is whole and of this Python."""
    if not os.path.exists(PYTHON):
        return False
    ask = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    try:
        told = subprocess.check_output([PYTHON, "-c", ask], stderr=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return told.decode().strip() == "%d.%d" % sys.version_info[:2]


def make_venv():
    print("Making .venv ...", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    return subprocess.call(
        [sys.executable, "-m", "venv", VENV], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) == 0 and venv_works()


def ensure_venv():
    if venv_works() or make_venv():
        return
    package = "python%d.%d-venv" % sys.version_info[:2]
    if is_root_on_debian() and apt_install("python3-venv") and make_venv():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    refuse(
        "This Python cannot make a virtual environment: install it with "
        "`apt-get install python3-venv` (or %s) as root, then start again." % package
    )


def stamp_of(level):
    """What has to be the same for an installation to be still right."""
    with open(os.path.join(ROOT, "requirements", level + ".txt"), "rb") as file:
        return hashlib.sha256(file.read() + sys.version.encode()).hexdigest()


def stamp_path(level):
    return os.path.join(VENV, "installed-" + level)


def is_installed(level):
    try:
        with open(stamp_path(level)) as file:
            return file.read() == stamp_of(level)
    except OSError:
        return False


def ensure_installed(level):
    """`level`: local or test; test holds everything of local."""
    if is_installed(level):
        return
    print("Installing the pinned requirements (the first time takes a minute) ...", flush=True)
    requirements = os.path.join(ROOT, "requirements", level + ".txt")
    status = subprocess.call(
        [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--require-hashes", "--no-deps", "-r", requirements]
    )  # fmt: skip
    if status:
        refuse("The requirements could not be installed: check the network, then start again.")
    for each in ("local", "test") if level == "test" else (level,):
        with open(stamp_path(each), "w") as file:
            file.write(stamp_of(each))


def chromium():
    """The browser's path: CHROMIUM, PATH, or Debian's package when root."""
    given = os.environ.get("CHROMIUM")
    if given:
        if not os.access(given, os.X_OK):
            refuse("CHROMIUM is %r, which is no program: give the path of a Chromium." % given)
        return given
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None and is_root_on_debian() and apt_install("chromium"):
        found = shutil.which("chromium")
    if found is None:
        refuse(
            "There is no Chromium for the browser tests: install it (`apt-get install chromium` "
            "on Debian), or name it with CHROMIUM=/path/to/chromium."
        )
    return found


def call(*command, **extra):
    """Run one step of `lint`; stop at the first that fails."""
    print("$ " + " ".join(command), flush=True)
    status = subprocess.call((PYTHON, "-m") + command, cwd=ROOT, env=dict(os.environ, **extra))
    if status:
        sys.exit(status)


def lint():
    """Style, types, import contracts, migrations, and Django's checks with production settings."""
    call("ruff", "check", ".")
    call("ruff", "format", "--check", ".")
    call("mypy")
    call("importlinter.cli", "lint")
    call("devstack.checked", "makemigrations", "--check", "--dry-run")
    call("devstack.checked", "check", "--deploy", "--fail-level", "WARNING")


def main(command, rest):
    check_python()
    ensure_venv()
    ensure_installed("local" if command == "run" else "test")
    os.chdir(ROOT)
    if command == "run":
        os.execv(PYTHON, [PYTHON, "manage.py", "runall"] + rest)
    if command == "lint":
        lint()
    if command == "test":
        os.environ["CHROMIUM"] = chromium()
        lint()
        os.execv(PYTHON, [PYTHON, "-m", "pytest"] + rest)


if __name__ == "__main__":
    if sys.argv[1:2] not in (["run"], ["test"], ["lint"], ["env"]):
        refuse("use `run`, `test`, `lint` or `env`.")
    main(sys.argv[1], sys.argv[2:])
